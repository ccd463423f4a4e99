/**
 * Who a reader is that the server does not know: asked over HTTP, where a cookie can be set; once,
 * however often the answer is wanted. Nobody misses it much, so a failure is silent.
 *
 * @param {import("./environment.js").Environment} env
 * @param {string} url  "" for a host that has no visitors
 */
export function visitor(env, url) {
  /** @type {Promise<any> | undefined} */
  let asked;
  return async () => {
    if (!url) return;
    try {
      asked ??= env.fetch(url, { method: "POST" }).then((response) => response.json());
      return (await asked).visitor;
    } catch {}
  };
}
