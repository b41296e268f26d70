import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import type { IndexFile } from '../registry/index-file.ts'
import { acceptsGzip, gzipTag } from './conditional.ts'

/** Smaller files fit into one packet anyway. */
const MIN_COMPRESSED = 1400
/** cargo takes gzip and deflate only. At 9 it costs 1.6 times as much, for 5 % less. */
const LEVEL = 6
/** Of larger files most of the time until the answer goes by with packing them: that takes half as long, for 4 % more. */
const LARGE = 256 * 1024
const LEVEL_OF_LARGE = 4

/** Values of `Accept-Encoding` whose meaning is remembered. */
const MAX_ACCEPTING = 100

const compress = promisify<Buffer, { level: number }, Buffer>(gzip)

/** What is sent of an index file. */
export interface IndexForm {
  readonly body: Buffer
  /** Each form has its own: they are other bytes. */
  readonly etag: string
  readonly encoding?: 'gzip'
}

/** The forms of index files: compressed once for each state of a crate, when the first one wants it. */
export interface IndexForms {
  of(file: IndexFile, acceptEncoding: string): Promise<IndexForm>
  /** The same; `undefined` for a form that is yet to be made. */
  ready(file: IndexFile, acceptEncoding: string): IndexForm | undefined
}

export function createIndexForms(): IndexForms {
  const made = new WeakMap<Buffer, IndexForm>()
  const making = new WeakMap<Buffer, Promise<IndexForm>>()

  function keep({ body, etag }: IndexFile, packed: Buffer): IndexForm {
    const form = { body: packed, etag: gzipTag(etag), encoding: 'gzip' } as const
    made.set(body, form)
    return form
  }

  async function make(file: IndexFile): Promise<IndexForm> {
    const { body } = file
    const packed = await compress(body, { level: body.length > LARGE ? LEVEL_OF_LARGE : LEVEL })
    making.delete(body)
    return keep(file, packed)
  }

  /** What is at hand; an uplink that packs its files has done the work. */
  function packedForm(file: IndexFile): IndexForm | undefined {
    return made.get(file.body) ?? (file.packed && keep(file, file.packed))
  }

  function makeOnce(file: IndexFile): Promise<IndexForm> {
    const running = making.get(file.body) ?? make(file)
    making.set(file.body, running)
    return running
  }

  /** Clients of a kind all send the same. */
  const accepting = new LRUCache<string, boolean>({ max: MAX_ACCEPTING })

  function accepts(acceptEncoding: string): boolean {
    const known = accepting.get(acceptEncoding)
    if (known !== undefined) return known
    const does = acceptsGzip(acceptEncoding)
    accepting.set(acceptEncoding, does)
    return does
  }

  const isPlain = ({ body }: IndexFile, acceptEncoding: string) =>
    body.length < MIN_COMPRESSED || acceptEncoding === '' || !accepts(acceptEncoding)

  return {
    of: async (file, acceptEncoding) =>
      isPlain(file, acceptEncoding) ? file : (packedForm(file) ?? makeOnce(file)),
    ready: (file, acceptEncoding) => (isPlain(file, acceptEncoding) ? file : packedForm(file)),
  }
}
