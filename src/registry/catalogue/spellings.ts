/** How names are spelled: a bit for each character, whether it is not as in the canonical form. */
export interface Spellings {
  /** Takes note of the spelling of the name whose characters are numbered from `start` on. */
  add(start: number, canonical: string, spelling: string): void
  of(start: number, canonical: string): string
  /** Whether a character is not as in the canonical form. */
  isOther(at: number): boolean
  mark(at: number): void
}

const GROWTH = 1.5

/** Spellings of so many characters, to begin with. */
export function createSpellings(characters: number): Spellings {
  let bits = new Uint8Array(Math.ceil(characters / 8))
  const isOther = (at: number) => ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0

  function mark(at: number): void {
    const byte = at >>> 3
    if (byte >= bits.length) {
      const more = new Uint8Array(Math.ceil(byte * GROWTH) + 1)
      more.set(bits)
      bits = more
    }
    bits[byte] = (bits[byte] ?? 0) | (1 << (at & 7))
  }

  return {
    ...{ isOther, mark },
    add(start, canonical, spelling) {
      for (let i = 0; i < spelling.length; i++)
        if (spelling.charCodeAt(i) !== canonical.charCodeAt(i)) mark(start + i)
    },
    of: (start, canonical) =>
      Array.from(canonical, (letter, i) => (isOther(start + i) ? unfolded(letter) : letter)).join(''),
  }
}

function unfolded(letter: string): string {
  return letter === '_' ? '-' : letter.toUpperCase()
}
