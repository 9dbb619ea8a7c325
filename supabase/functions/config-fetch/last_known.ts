/** How much is kept. */
export interface Limits {
  documents: number;
  /** Of all documents together, as JSON. */
  characters: number;
}

interface Kept<Document> {
  document: Document;
  characters: number;
}

/** The last document read for each place, for when the database is away. Those not read for the longest time give way. */
export class LastKnown<Document extends { version: number }> {
  #kept = new Map<string, Kept<Document>>();
  #characters = 0;

  constructor(readonly limits: Limits) {}

  /** Keeps a document instead of the one before; of the same version they are the same. */
  keep(place: string, document: Document): void {
    const known = this.#forget(place);
    const isSame = known?.document.version === document.version;
    const kept = isSame ? known : { document, characters: JSON.stringify(document).length };
    if (kept.characters > this.limits.characters) return;
    this.#kept.set(place, kept);
    this.#characters += kept.characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.limits.documents && this.#characters <= this.limits.characters) return;
      this.#forget(oldest);
    }
  }

  /** The last one of that place, if it is still there. */
  find(place: string): Document | undefined {
    return this.#kept.get(place)?.document;
  }

  #forget(place: string): Kept<Document> | undefined {
    const kept = this.#kept.get(place);
    if (!kept) return undefined;
    this.#kept.delete(place);
    this.#characters -= kept.characters;
    return kept;
  }
}
