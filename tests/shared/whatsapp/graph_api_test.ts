import { assertEquals } from "@std/assert";
import { graphApi } from "../../../shared/whatsapp/graph_api.ts";
import { codeThrownBy } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";

const settings: { WHATSAPP_API_URL?: string; WHATSAPP_ACCESS_TOKEN?: string } = {
  WHATSAPP_API_URL: undefined,
  WHATSAPP_ACCESS_TOKEN: "EAAG-token",
};
useSettings(settings);

const unused = () => Promise.reject(new Error("unused"));

Deno.test("graphApi() reaches Meta's latest version unless told otherwise", () => {
  settings.WHATSAPP_API_URL = undefined;
  assertEquals(graphApi(unused), { url: "https://graph.facebook.com/v26.0", token: "EAAG-token", fetch: unused });

  settings.WHATSAPP_API_URL = "http://127.0.0.1:9001/v27.0";
  assertEquals(graphApi(unused).url, "http://127.0.0.1:9001/v27.0");
});

Deno.test("graphApi() says that it is not configured when there is no token", async () => {
  settings.WHATSAPP_ACCESS_TOKEN = undefined;

  assertEquals(await codeThrownBy(() => graphApi(unused)), "not_configured");
});
