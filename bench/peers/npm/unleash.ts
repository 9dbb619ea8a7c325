import { start } from "unleash-server";

/** Unleash as it comes, without accounts: its admin API is open, its frontend API wants the token. */
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
    versionCheck: { enable: false },
    telemetry: false,
    logLevel: "fatal",
  } as unknown as Parameters<typeof start>[0],
);
