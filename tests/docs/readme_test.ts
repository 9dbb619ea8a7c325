import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKOUT, type StackProcess, startStack, temporaryData } from "../stack/stack_process.ts";
import { until } from "../support/until.ts";

const README = await Deno.readTextFile(`${CHECKOUT}README.md`);

/** The blocks of a language under "Five minutes", in order, as one text for a stack's address. */
function fiveMinutes(language: string, url: string): string {
  const part = README.slice(README.indexOf("\n## Five minutes"), README.indexOf("\n## Map"));
  const blocks = part.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"));
  return [...blocks].map(([, code]) => code).join("\n").replaceAll("http://127.0.0.1:54321", url);
}

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in the checkout and types a text into it once that is known. */
async function run(command: string, args: string[], typed: string | Promise<string> = ""): Promise<Output> {
  const child = new Deno.Command(command, {
    args,
    cwd: CHECKOUT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(`${await typed}\n`));
  await stdin.close();
  const { code, stdout, stderr } = await output;
  const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: said!, stderr: errors! };
}

/** The code by which somebody signs in, as the stack prints it. */
async function printedCode(stack: StackProcess): Promise<string> {
  const find = () => /code[^\n]*?\b(\d{6})\b/i.exec(stack.stdout())?.[1];
  await until(() => find() !== undefined, "the code is printed");
  return find()!;
}

/** Whether a machine has what the README's shell blocks take for granted. */
async function has(tool: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${tool}`], stdout: "null" }).output();
  if (!success) console.log(`the README's five minutes are skipped: this machine has no ${tool}`);
  return success;
}

const ignore = !(await has("bash") && await has("curl") && await has("openssl"));

Deno.test({ name: "the README's five minutes hold", ignore }, async (t) => {
  await using data = temporaryData();
  await using stack = startStack(data.path);
  await stack.ready();

  await t.step("what is typed into a shell", async () => {
    const { code, stdout, stderr } = await run(
      "bash",
      ["-c", fiveMinutes("sh", stack.url).replaceAll("curl ", "curl --fail-with-body -sS ")],
      printedCode(stack),
    );

    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /"is_copy": ?false/);
    assertMatch(stdout, /"is_duplicate": ?false/);
    assertMatch(stdout, /"amount": ?5000/);
    assertMatch(stdout, /"greeting"/);
    assertMatch(stdout, /"new-menu"/);
    await until(
      () => stack.stdout().includes('whatsapp to +250788000001: text {"body":"Muraho, Aline!"}'),
      "her answer is printed",
    );
  });

  await t.step("what the SDKs say", async () => {
    const { code, stdout, stderr } = await run(
      Deno.execPath(),
      ["run", "-A", "--quiet", "--check", "--ext", "ts", "-"],
      fiveMinutes("ts", stack.url),
    );

    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, 'direction: "outbound"');
    assertStringIncludes(stdout, 'flagKey: "new-menu"');
    assertStringIncludes(stdout, 'event_name: "Ride requested"');
  });

  await t.step("the ride", async () => {
    const { code, stdout } = await run(Deno.execPath(), [
      "run",
      "-A",
      "--quiet",
      "scripts/demo.ts",
      "--data",
      data.path,
    ]);

    assertEquals(code, 0);
    assertMatch(stdout, /^8\. .* receipt /m);
    assertMatch(stdout, /^9\. .*\n {3}\d+ in /m);
  });
});
