// How a content security policy that refuses WebAssembly is recognised.
//
// Engines have no error class for a refusal by policy; all of them name it in the message.
const refused = /content.security.policy|\bcsp\b|unsafe-eval|disallowed by embedder/i;

/**
 * Returns the advice for an error that a content security policy caused, by its message;
 * `undefined` for any other error.
 */
export const policyAdvice = (message: string): string | undefined =>
  refused.test(message) ? `the content security policy needs script-src 'wasm-unsafe-eval' (${message})` : undefined;
