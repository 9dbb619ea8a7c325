import { loadFunctions } from "../stack/functions.ts";

/** docs/api/<function>.json: what each function serves at `GET /<function>/openapi.json`, by function name. */
export async function openApiDocuments(): Promise<Record<string, string>> {
  const functions = Object.entries(await loadFunctions());
  const documents = await withoutLog(() =>
    Promise.all(functions.map(async ([name, { fetch }]): Promise<[string, string]> => {
      const answer = await fetch(new Request(`http://localhost/${name}/openapi.json`));
      return [name, `${JSON.stringify(await answer.json(), null, 2)}\n`];
    }))
  );
  return Object.fromEntries(documents);
}

/** Asking an app for its document is a request, and requests are logged. */
async function withoutLog<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
