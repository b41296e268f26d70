import type { FileHandle } from 'node:fs/promises'
import { CargoError } from '../../errors.ts'
import { openUnnamed, writeAt } from '../unnamed-file.ts'
import type { CatalogueEntry } from './entry.ts'

/** Entries begin at multiples of this, so that a number of 32 bits says where even in a file of 32 GB. */
const UNIT = 8
/** So much is written to the file at a time; a catalogue of less has no file. */
const CHUNK = 256 * 1024
/** What is read for one entry to begin with; most are shorter. */
const FIRST_READ = 1024
/** Entries that lie within so many bytes are read at once. */
const MAX_SPAN = 256 * 1024
const [NEWLINE, SPACE] = [0x0a, 0x20]

/**
 * The entries themselves, of which only those on a page are read: in a temporary file, or there would be no room for a
 * million of them in memory. What cannot be written there stays in memory.
 */
export interface Details {
  /** Bytes of all entries that were ever added. */
  readonly size: number
  /** Where it is from now on. */
  add(entry: CatalogueEntry): number
  /** The entries at these places. */
  read(places: readonly number[]): Promise<CatalogueEntry[]>
  /** Waits for those who read. */
  close(): Promise<void>
}

/** Bytes that are not in the file yet. */
interface Waiting {
  readonly at: number
  readonly bytes: Buffer
}

/** `onFailure` is told when the file cannot be written. */
export function createDetails(onFailure: (error: unknown) => void): Details {
  let open: Buffer = Buffer.allocUnsafe(CHUNK)
  /** What has been written takes other entries: as garbage a million of them would leave hundreds of megabytes. */
  let spare: Buffer | undefined
  let [openAt, used] = [0, 0]
  const waiting = new Set<Waiting>()
  let file: FileHandle | undefined
  let writing: Promise<void> = Promise.resolve()
  const reading = new Set<Promise<unknown>>()

  function closeChunk(wanted: number): void {
    const full = open
    const chunk = { at: openAt, bytes: full.subarray(0, used) }
    openAt += used
    open = wanted <= CHUNK && spare !== undefined ? spare : Buffer.allocUnsafe(Math.max(CHUNK, wanted))
    spare = undefined
    used = 0
    waiting.add(chunk)
    writing = writing
      .then(async () => {
        file ??= await openUnnamed('catalogue')
        await writeAt(file, chunk.bytes, chunk.at)
        waiting.delete(chunk)
        if (full.length === CHUNK) spare = full
      })
      .catch(onFailure)
  }

  /** What is in memory from a place on. */
  function inMemory(at: number): Buffer | undefined {
    if (at >= openAt) return open.subarray(at - openAt, used)
    for (const chunk of waiting)
      if (at >= chunk.at && at < chunk.at + chunk.bytes.length) return chunk.bytes.subarray(at - chunk.at)
    return undefined
  }

  async function fromFile(at: number, length: number): Promise<Buffer> {
    if (file === undefined) throw lost()
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at)
    return buffer.subarray(0, bytesRead)
  }

  async function readOne(place: number): Promise<CatalogueEntry> {
    const at = place * UNIT
    const known = inMemory(at)
    if (known !== undefined) return parseAt(known, 0) ?? fail()
    for (let length = FIRST_READ; ; length *= 8) {
      const bytes = await fromFile(at, length)
      const entry = parseAt(bytes, 0)
      if (entry !== undefined) return entry
      if (bytes.length < length) throw lost()
    }
  }

  async function readAll(places: readonly number[]): Promise<CatalogueEntry[]> {
    const [from, to] = [Math.min(...places) * UNIT, Math.max(...places) * UNIT + FIRST_READ]
    const isNear = places.length > 1 && to - from < MAX_SPAN && inMemory(from) === undefined
    const bytes = isNear ? await fromFile(from, to - from) : undefined
    const near = (place: number) => bytes && parseAt(bytes, place * UNIT - from)
    return Promise.all(places.map(async (place) => near(place) ?? readOne(place)))
  }

  return {
    get size() {
      return openAt + used
    },
    add(entry) {
      const line = `${JSON.stringify(entry)}\n`
      const length = Buffer.byteLength(line)
      const padded = Math.ceil(length / UNIT) * UNIT
      if (used + padded > open.length) closeChunk(padded)
      open.write(line, used)
      for (let at = used + length; at < used + padded; at++) open[at] = SPACE
      const place = (openAt + used) / UNIT
      used += padded
      return place
    },
    read(places) {
      const read = readAll(places).finally(() => reading.delete(read))
      reading.add(read)
      return read
    },
    async close() {
      await Promise.allSettled([writing, ...reading])
      await file?.close()
    },
  }
}

/** The entry whose line begins there; `undefined` when the line is not all there. */
function parseAt(bytes: Buffer, at: number): CatalogueEntry | undefined {
  const end = at < bytes.length ? bytes.indexOf(NEWLINE, at) : -1
  return end < 0 ? undefined : JSON.parse(bytes.toString('utf8', at, end))
}

function fail(): never {
  throw lost()
}

function lost(): CargoError {
  return new CargoError('internal', 'an entry of the catalogue cannot be read back')
}
