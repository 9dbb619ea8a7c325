/** A browser without a window; its profile goes with it. */
export type Browser = AsyncDisposable;

/** Where Chromium is, or undefined on machines without it. */
export function chromiumPath(): string | undefined {
  const folders = Deno.env.get("PATH")?.split(":") ?? [];
  const candidates = folders.flatMap((folder) =>
    ["chromium", "chromium-browser", "google-chrome"].map((name) => `${folder}/${name}`)
  );
  return candidates.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Opens a page, which reports to the test by HTTP: `await using browser = await openPage(...)`. */
export async function openPage(chromium: string, url: string, { userAgent }: { userAgent: string }): Promise<Browser> {
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  const process = new Deno.Command(chromium, {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"],
      ...[`--user-data-dir=${profile}`, `--user-agent=${userAgent}`, "--remote-debugging-port=0"],
      url,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.status;
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    },
  };
}
