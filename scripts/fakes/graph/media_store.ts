import { graphError } from "./graph_errors.ts";

/** A file that Meta keeps, and what it says of it, true or not. */
export interface StoredMedia {
  bytes: Uint8Array<ArrayBuffer>;
  mime_type: string;
  sha256: string;
  file_size: number;
  /** Where it says that the file is; by default here. */
  url?: string;
  /** What the host of files calls the type; by default the same. */
  content_type?: string;
}

/** Meta's files. */
export class MediaStore {
  readonly files = new Map<string, StoredMedia>();
  #lastId = 1_000_000_000_000_000;

  /** @param fileUrl - below which files are fetched */
  constructor(readonly fileUrl: () => string) {}

  /** Keeps a file as if a person had sent it; `claims` are what is said of it otherwise than it is. */
  async add(bytes: Uint8Array<ArrayBuffer>, mime_type: string, claims: Partial<StoredMedia> = {}): Promise<string> {
    const id = String(++this.#lastId);
    this.files.set(id, { bytes, mime_type, sha256: await sha256(bytes), file_size: bytes.length, ...claims });
    return id;
  }

  /** `POST /{phone_number_id}/media` */
  async upload(request: Request): Promise<Response> {
    const form = await request.formData().catch(() => new FormData());
    const [file, type] = [form.get("file"), form.get("type")];
    if (form.get("messaging_product") !== "whatsapp") return graphError(100, { details: "messaging_product" });
    if (!(file instanceof File) || typeof type !== "string") return graphError(100, { details: "file and type" });
    return Response.json({ id: await this.add(new Uint8Array(await file.arrayBuffer()), type) });
  }

  /** `GET /{media_id}` */
  describe(id: string): Response {
    const file = this.files.get(id);
    if (!file) return graphError(100, { details: `Object with ID '${id}' does not exist` });
    const { mime_type, sha256, file_size, url = `${this.fileUrl()}/${id}` } = file;
    // Meta has been seen to write sizes as text.
    return Response.json({ messaging_product: "whatsapp", url, mime_type, sha256, file_size: String(file_size), id });
  }

  /** `GET /files/{media_id}`, on Meta's host of files */
  download(id: string): Response {
    const file = this.files.get(id);
    if (!file) return new Response("URL signature expired", { status: 404 });
    return new Response(file.bytes, { headers: { "content-type": file.content_type ?? file.mime_type } });
  }

  /** `DELETE /{media_id}` */
  remove(id: string): Response {
    return this.files.delete(id) ? Response.json({ success: true }) : graphError(100);
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
