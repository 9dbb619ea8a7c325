/** Loads a bundle as the edge runtime would, has it answer one request and ends. */
const [bundle, url] = Deno.args;
const module = await import(bundle!);
const answer: Response = await module.default.fetch(new Request(url!));
await answer.text();
Deno.exit(0);
