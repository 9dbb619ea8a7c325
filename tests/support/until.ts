const PATIENCE_MS = 180_000;
const PAUSE_MS = 10;

/** Waits until the condition holds; throws an error that names what was awaited when three minutes were not enough. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !await condition();) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
