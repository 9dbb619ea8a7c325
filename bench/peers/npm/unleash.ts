import { start } from "unleash-server";

/** A minute's requests of any round and more: it would refuse all that come after 20,000. */
const UNLIMITED = 10_000_000;

/** Unleash as it comes, without accounts and limits: its admin API is open, its frontend API wants the token. */
const [port, databaseUrl = "", token = ""] = Deno.args;
const { hostname: host, port: databasePort, username: user, password, pathname } = new URL(databaseUrl);
await start(
  {
    db: { host, port: Number(databasePort), user, password, database: pathname.slice(1), ssl: false },
    server: { port: Number(port), host: "127.0.0.1", gracefulShutdownEnable: false },
    authentication: {
      type: "none",
      createAdminUser: false,
      initApiTokens: [{
        environment: "development",
        projects: ["*"],
        secret: token,
        type: "frontend",
        tokenName: "bench",
      }],
    },
    rateLimiting: { tokenAuthenticationMaxPerMinute: UNLIMITED, sdkApiMaxPerMinute: UNLIMITED },
    versionCheck: { enable: false },
    telemetry: false,
    logLevel: "fatal",
  } as unknown as Parameters<typeof start>[0],
);
