/** A refusal as GoTrue gives it and supabase-js reads it: `{ code, error_code, msg }`. */
export class AuthRefusal extends Error {
  override name = "AuthRefusal";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }

  toResponse(): Response {
    return Response.json({ code: this.status, error_code: this.code, msg: this.message, ...this.details }, {
      status: this.status,
      headers: { "x-sb-error-code": this.code },
    });
  }
}
