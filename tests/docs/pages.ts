/** One page of documentation: its path from the root and its text. */
export interface Page {
  path: string;
  text: string;
}

/** Every page that is committed. */
export async function readPages(): Promise<Page[]> {
  const listed = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  }).output();
  const paths = new TextDecoder().decode(listed.stdout).trim().split("\n");
  return await Promise.all(paths.map(async (path) => ({ path, text: await Deno.readTextFile(path) })));
}

/** The text of a page without what stands in code. */
export function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]+`/g, "code");
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}
