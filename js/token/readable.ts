// The wrapper that makes the answers of a token provider readable for the core.
import { chunk } from '../loader/chunk.js';
import type { TokenAnswer, TokenProvider } from '../model/options.js';

const reader = chunk(() => import('./normalize.js'), 'readError');

/**
 * Returns a provider whose answers and errors the core can read. What is in the usual form is
 * passed on; for the rest, `provider.ts` is loaded.
 */
export function readable(provider: TokenProvider): TokenProvider {
  return async (ask) => {
    let answer: { token?: unknown; expires_in?: unknown } | string | null;
    try {
      answer = await provider(ask);
    } catch (thrown) {
      // A network's failure has no status; it may also be the network that the reader would be
      // loaded over.
      if (thrown instanceof TypeError || (thrown as { status?: unknown } | undefined)?.status) throw thrown;
      throw await reader().then(
        ({ readError }) => readError(thrown),
        () => thrown,
      );
    }
    if (typeof answer === 'string' || (answer?.token && typeof (answer.expires_in ?? 1) === 'number')) {
      return answer as TokenAnswer;
    }
    return (await reader()).readAnswer(answer);
  };
}
