import type { SettingName } from "../../shared/env.ts";

/**
 * Gives this test file its own settings, over those of the process.
 *
 * Test files share the process's environment, so nothing is set there: only this file's view of it changes.
 *
 * @param values - undefined hides a setting
 */
export function useSettings(values: Partial<Record<SettingName, string | undefined>>): void {
  const read = Deno.env.get.bind(Deno.env);
  Deno.env.get = (name) => name in values ? values[name as SettingName] : read(name);
}
