/** Who needs a blob; the strongest of several counts. */
export type BlobUse = 'nobody' | 'uplinks' | 'crates'

/** A blob, as a list of the store told of it. */
export interface ListedBlob {
  readonly sha256: string
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970: when it was last written. */
  readonly modified: number
}

/** A blob with what was found out about it. */
export interface KnownBlob extends ListedBlob {
  readonly use: BlobUse
  /** Milliseconds since 1970: when it was last written or fetched, as far as is known. */
  readonly used: number
}

/** Blobs in a few dozen bytes each, since a store has millions of them. */
export interface BlobTable {
  /** In ascending order of their checksums, as stores list them. */
  add(blob: ListedBlob): void
  /** Takes note that somebody needs it, if it is in the table. */
  need(sha256: string, by: Exclude<BlobUse, 'nobody'>): boolean
  /** Takes note of a later use. */
  touch(sha256: string, used: number): void
  blobs(): Iterable<KnownBlob>
}

const HEX = 64
const USES: readonly BlobUse[] = ['nobody', 'uplinks', 'crates']

export function createBlobTable(): BlobTable {
  let names = Buffer.alloc(32 * 1024)
  // Sizes, times of writing and of use, and who needs it.
  let numbers = new Float64Array(4 * 1024)
  let count = 0

  function grow(): void {
    const [more, further] = [Buffer.alloc(2 * names.length), new Float64Array(2 * numbers.length)]
    names.copy(more)
    further.set(numbers)
    ;[names, numbers] = [more, further]
  }

  function indexOf(sha256: string): number {
    const wanted = Buffer.from(sha256, 'hex')
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (names.compare(wanted, 0, 32, 32 * middle, 32 * middle + 32) < 0) low = middle + 1
      else high = middle
    }
    return low < count && names.compare(wanted, 0, 32, 32 * low, 32 * low + 32) === 0 ? low : -1
  }

  const at = (index: number, field: number): number => numbers[4 * index + field] ?? 0

  return {
    add({ sha256, size, modified }) {
      if (32 * (count + 1) > names.length) grow()
      names.write(sha256, 32 * count, 'hex')
      numbers.set([size, modified, modified, 0], 4 * count)
      count += 1
    },
    need(sha256, by) {
      const index = sha256.length === HEX ? indexOf(sha256) : -1
      if (index === -1) return false
      numbers[4 * index + 3] = Math.max(at(index, 3), USES.indexOf(by))
      return true
    },
    touch(sha256, used) {
      const index = indexOf(sha256)
      if (index !== -1) numbers[4 * index + 2] = Math.max(at(index, 2), used)
    },
    *blobs() {
      for (let index = 0; index < count; index++) {
        yield {
          sha256: names.toString('hex', 32 * index, 32 * index + 32),
          size: at(index, 0),
          modified: at(index, 1),
          used: at(index, 2),
          use: USES[at(index, 3)] ?? 'nobody',
        }
      }
    },
  }
}
