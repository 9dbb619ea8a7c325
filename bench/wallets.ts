import type { Measurement } from "./measurement.ts";
import { walletSize } from "./wallet_size.ts";
import { walletTransfer } from "./wallet_transfer.ts";

/** The ledger beside the plain reference. */
export const walletMeasurements: Record<string, Measurement> = {
  "wallet-transfer": walletTransfer,
  "wallet-size": walletSize,
};
