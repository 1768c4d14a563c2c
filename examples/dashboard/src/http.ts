// The requests of the page, and the error of one that was refused.
/**
 * An answer that is not 2xx. It carries the status, so that tinysse can recognise a refusal (401, 403: stop and report)
 * from a hiccup (anything else: try again).
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';

  constructor(
    readonly status: number,
    /** The stable `code` of a problem+json answer, such as `token_expired`; empty without one. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Problem {
  code?: string;
  title?: string;
  detail?: string;
}

/** Sends JSON, reads JSON. Throws {@link HttpError} for a refusal and a TypeError when there is no answer at all. */
export async function request<T>(path: string, init: RequestInit & { json?: unknown } = {}): Promise<T> {
  const { json, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (json !== undefined) headers.set('content-type', 'application/json');
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(path, { ...rest, headers, body });
  if (!response.ok) throw await refusal(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function refusal(response: Response): Promise<HttpError> {
  const problem: Problem = await response.json().catch(() => ({}));
  const message = problem.detail ?? problem.title ?? response.statusText;
  return new HttpError(response.status, problem.code ?? '', message || `HTTP ${response.status}`);
}

/** The message for a person. */
export function explain(error: unknown): string {
  if (error instanceof HttpError) {
    if (error.status === 401) return 'You are signed out.';
    if (error.status === 403) return 'You may not do that.';
    if (error.status === 404) return 'It is not there any more.';
    if (error.status >= 500) return 'The server had a problem.';
    return sentence(error.message);
  }
  if (error instanceof TypeError) return 'The server cannot be reached.';
  return error instanceof Error ? sentence(error.message) : 'Something went wrong.';
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/[.\s]*$/, '')}.`;
