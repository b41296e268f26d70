import { randomUUID } from 'node:crypto'
import {
  access,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import {
  CargoError,
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
} from 'verdaccio-cargo'

/** Names that no key can have, since `~` is in none. */
const MARK = '~store'
const TEMPORARY = '~new'
const SEGMENT = /^[A-Za-z0-9._+-]{1,255}$/
const MAX_KEY_BYTES = 512

/**
 * A folder as a store: the simplest that keeps every promise. An object is a file, its key is the path. It is good for
 * some hundred thousand objects, since `list` reads all names before it sorts them.
 */
export async function folderStore(path: string): Promise<ObjectStore> {
  const root = resolve(path)
  await mkdir(join(root, TEMPORARY), { recursive: true })
  await writeFile(join(root, MARK), '')
  const writes = new Set<Promise<boolean>>()

  /** Guarantee: a failure is never absence. A folder that is not mounted looks empty, but for its mark. */
  async function absent(error: unknown): Promise<undefined> {
    if (!isCode(error, 'ENOENT')) throw error
    await access(join(root, MARK))
    return undefined
  }

  async function statOf(key: string): Promise<ObjectInfo | undefined> {
    const found = await stat(pathOf(root, key)).catch(absent)
    return found && { size: found.size, modified: found.mtime }
  }

  /** Guarantee: whole or not at all. What is written is written elsewhere, and then gets its name in one step. */
  async function write(path: string, body: Uint8Array | Readable, options: PutOptions): Promise<boolean> {
    const temporary = join(root, TEMPORARY, randomUUID())
    const { ifAbsent = false, durable = true } = options
    try {
      await fill(temporary, body, durable)
      await mkdir(dirname(path), { recursive: true })
      const isFirst = ifAbsent
        ? await linkIfAbsent(temporary, path)
        : await rename(temporary, path).then(() => true)
      if (durable) await syncFolders(root, dirname(path))
      return isFirst
    } catch (error) {
      if (isCode(error, 'ENOSPC'))
        throw new CargoError('storage_full', 'the storage is full', { cause: error })
      throw error
    } finally {
      await rm(temporary, { force: true })
    }
  }

  return {
    // `link` decides in the file system itself: between processes, and between machines on a network file system.
    multiWriter: true,

    async get(key, range) {
      const file = await open(pathOf(root, key)).catch(absent)
      if (file === undefined) return undefined
      const info = await infoOf(file)
      const { start = 0, end = info.size } = range ?? {}
      // The open file stays what it was, whatever happens to its name meanwhile; the stream closes it.
      if (start < Math.min(end, info.size))
        return { ...info, body: file.createReadStream({ start, end: end - 1 }) }
      await file.close()
      return { ...info, body: Readable.from([]) }
    },

    async open(key) {
      const file = await open(pathOf(root, key)).catch(absent)
      if (file === undefined) return undefined
      return {
        ...(await infoOf(file)),
        read: async (buffer, position) => (await file.read(buffer, 0, buffer.length, position)).bytesRead,
        close: () => file.close(),
      }
    },

    stat: statOf,

    async put(key, body, options = {}) {
      // A stream may fail before anybody reads it, which without a listener ends the process.
      if (body instanceof Readable) body.on('error', () => {})
      const writing = (async () => write(pathOf(root, key), body, options))()
      writes.add(writing)
      return writing.finally(() => {
        writes.delete(writing)
        if (body instanceof Readable) body.destroy()
      })
    },

    async delete(key) {
      await access(join(root, MARK))
      await rm(pathOf(root, key), { force: true })
    },

    /** Guarantee: the order of whole keys, in which `a-b` comes before `a/b`. Sorting names of folders is not that. */
    async *list(prefix, { after = '' } = {}): AsyncGenerator<ListedObject> {
      const folder = folderOf(root, prefix)
      await access(join(root, MARK))
      const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent)
      const keys = (files ?? [])
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => relative(root, join(parentPath, name)).replaceAll(sep, '/'))
        .filter((key) => key.startsWith(prefix) && key > after && !key.startsWith('~'))
      for (const key of keys.sort()) {
        const info = await statOf(key)
        // Deleted since: not there any more.
        if (info !== undefined) yield { key, ...info }
      }
    },

    /** Guarantee: what was accepted is finished. */
    async close() {
      await Promise.allSettled(writes)
    },
  }
}

async function infoOf(file: FileHandle): Promise<ObjectInfo> {
  const { size, mtime } = await file.stat()
  return { size, modified: mtime }
}

/** Guarantee: durable at the answer. `sync` is what makes the difference to a power cut. */
async function fill(path: string, body: Uint8Array | Readable, durable: boolean): Promise<void> {
  const file = await open(path, 'wx')
  try {
    if (body instanceof Readable) for await (const chunk of body) await file.writeFile(chunk)
    else await file.writeFile(body)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}

/** Guarantee: of any number of writers one wins. `link` fails when the name is taken; to look first would be a race. */
async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

/** A name is durable when its folder is, and that one's name, up to the root. */
async function syncFolders(root: string, folder: string): Promise<void> {
  const handle = await open(folder)
  await handle.sync().finally(() => handle.close())
  if (folder !== root && folder.startsWith(root)) await syncFolders(root, dirname(folder))
}

/** Guarantee: no key leads out of the store. */
function pathOf(root: string, key: string): string {
  const isKey = key.length <= MAX_KEY_BYTES && key.split('/').every(isSegment)
  if (!isKey) throw new CargoError('internal', `invalid object key \`${key}\``)
  return join(root, key)
}

/** The folder below which all keys with this beginning are; it may end in the middle of a name. */
function folderOf(root: string, prefix: string): string {
  const segments = prefix.split('/')
  const last = segments.pop() ?? ''
  if (!segments.every(isSegment) || !(last === '' || SEGMENT.test(last)))
    throw new CargoError('internal', `invalid prefix of object keys \`${prefix}\``)
  return join(root, ...segments)
}

function isSegment(name: string): boolean {
  return SEGMENT.test(name) && name !== '.' && name !== '..'
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
