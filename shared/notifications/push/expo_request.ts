import { setting } from "../../env.ts";
import { below, type ProviderRequest } from "../http_provider.ts";

const LIVE = "https://exp.host/--/api/v2";

/** A request to Expo's push service, with our token where the project asks for one. */
export function expoRequest(path: string, body: unknown): ProviderRequest {
  const token = setting("EXPO_ACCESS_TOKEN", null);
  return {
    url: below(setting("EXPO_API_URL", LIVE), path),
    headers: token ? { authorization: `Bearer ${token}` } : {},
    body: JSON.stringify(body),
    type: "application/json",
  };
}
