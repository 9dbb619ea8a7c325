/** What remains of a cold start when there is no function at all: the runtime. */
export default { fetch: () => new Response("hello") };
