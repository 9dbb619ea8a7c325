/** A value of type json or jsonb. */
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

/** Stands in for the generated types until `deno task generate` has run. */
export type Database = {
  public: {
    // deno-lint-ignore ban-types
    Tables: {};
    // deno-lint-ignore ban-types
    Views: {};
    Functions: {
      example: {
        Args: { amount: number; note?: string };
        Returns: { id: string; amount: number };
      };
    };
    // deno-lint-ignore ban-types
    Enums: {};
    // deno-lint-ignore ban-types
    CompositeTypes: {};
  };
};
