import { assertEquals } from "@std/assert";
import { functionNames } from "../../scripts/stack/functions.ts";
import { MINIMUM_PASSWORD_LENGTH } from "../../scripts/stack/lite.ts";

const config = await Deno.readTextFile(new URL("../../supabase/config.toml", import.meta.url));

Deno.test("every function has its block in config.toml, and no block is left without a function", () => {
  assertEquals(blocks(config), functionNames().map(blockOf));
});

Deno.test("the local stack asks for passwords as long as config.toml does", () => {
  assertEquals(/^minimum_password_length = (\d+)$/m.exec(config)?.[1], String(MINIMUM_PASSWORD_LENGTH));
});

/** The platform lets every request through: functions authenticate, and find their imports in the one deno.json. */
function blockOf(name: string): string {
  return `[functions.${name}]
verify_jwt = false
import_map = "../deno.json"
entrypoint = "./functions/${name}/index.ts"
`;
}

function blocks(text: string): string[] {
  return text.match(/^\[functions\..+\]\n(?:[^[#\n].*\n)*/gm)?.toSorted() ?? [];
}
