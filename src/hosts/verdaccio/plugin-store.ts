import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ByteRange, ListedObject, ObjectInfo, ObjectStore } from '../../host.ts'
import { validateKey, validatePrefix } from '../object-key.ts'
import type { StorePlugin } from './api.ts'
import {
  encodeFolder,
  type FolderDocument,
  type FolderEntry,
  parseFolder,
  withFolder,
  withObject,
  withoutObject,
} from './folder-document.ts'
import { type PackageFiles, packageFiles } from './package-files.ts'
import { sliceBytes } from './slice-bytes.ts'

/** Where everything is: no npm package begins with a dot, so that no route and no list of npm's has it. */
const ROOT = '.cargo'
/** Version 6 makes other names of these: those that Windows has for devices, and those with a dot at the end. */
const UNSAFE = /^((con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*\.)$/i
/** Stands behind such a name, and behind one that ends so by itself. */
const MARK = '+x'
/** Larger objects are files of their own. */
const MOST_INLINE = 64 * 1024

/**
 * Objects in a store plugin of any kind, which knows packages and nothing else: each folder of keys is a package, whose
 * document lists what is in it. A plugin has no create-if-absent: only one process may write.
 */
export function pluginStore(plugin: StorePlugin): ObjectStore {
  const turns = new Map<string, Promise<unknown>>()

  /** One writer of a folder at a time. */
  async function inTurn<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const before = turns.get(folder) ?? Promise.resolve()
    const turn = before.then(work, work)
    turns.set(folder, turn)
    try {
      return await turn
    } finally {
      if (turns.get(folder) === turn) turns.delete(folder)
    }
  }

  function filesOf(folder: string): { readonly name: string; readonly files: PackageFiles } {
    const name = [ROOT, ...folder.split('/').filter(Boolean).map(safe)].join('/')
    const of = plugin.getPackageStorage(name)
    if (of === null || of === undefined) throw new Error(`the store has no place for \`${name}\``)
    return { name, files: packageFiles(of, name) }
  }

  async function read(folder: string): Promise<FolderDocument> {
    const { name, files } = filesOf(folder)
    return parseFolder(name, await files.read())
  }

  /** Changes a document, in turn; a folder that is new is first entered into the one around it. */
  async function change(folder: string, by: (before: FolderDocument) => FolderDocument): Promise<void> {
    const { name, files } = filesOf(folder)
    const found = await files.read()
    const before = parseFolder(name, found)
    const after = by(before)
    if (found === undefined && folder !== '') {
      const [around, own] = split(folder)
      await inTurn(around, () => change(around, (document) => withFolder(document, own)))
    }
    if (found === undefined || after !== before)
      await files.save(encodeFolder(name, after), found === undefined)
  }

  async function find(key: string): Promise<FolderEntry | undefined> {
    const [folder, name] = split(validateKey(key))
    const { objects } = await read(folder)
    return Object.hasOwn(objects, name) ? objects[name] : undefined
  }

  async function open({ data, file, size }: FolderEntry, key: string, range: ByteRange): Promise<Readable> {
    if (data !== undefined)
      return Readable.from([Buffer.from(data, 'base64').subarray(range.start, range.end)], {
        objectMode: false,
      })
    const body = file === undefined ? undefined : await filesOf(split(key)[0]).files.open(file)
    if (body === undefined) throw new Error(`the file of \`${key}\` is gone`)
    return range.start === 0 && range.end >= size ? body : sliceBytes(body, range)
  }

  async function* walk(folder: string, prefix: string): AsyncGenerator<ListedObject> {
    const { objects, folders } = await read(folder)
    const base = folder === '' ? '' : `${folder}/`
    const names = [
      ...Object.keys(objects).map((name) => ({ path: base + name, name, isFolder: false })),
      ...folders.map((name) => ({ path: `${base}${name}/`, name, isFolder: true })),
    ].filter(({ path }) => path.startsWith(prefix) || (path.endsWith('/') && prefix.startsWith(path)))
    for (const { path, name, isFolder } of names.sort((a, b) => (a.path < b.path ? -1 : 1))) {
      if (isFolder) yield* walk(base + name, prefix)
      else yield { key: path, ...infoOf(objects[name]) }
    }
  }

  return {
    multiWriter: false,
    async get(key, range) {
      const entry = await find(key)
      if (entry === undefined) return undefined
      const body = await open(entry, key, range ?? { start: 0, end: entry.size })
      return { ...infoOf(entry), body }
    },
    async stat(key) {
      const entry = await find(key)
      return entry && infoOf(entry)
    },
    async put(key, body, { ifAbsent = false } = {}) {
      const [folder, name] = split(validateKey(key))
      // A source may fail while it waits, which without a listener ends the process; reading tells it later.
      if (body instanceof Readable) body.on('error', () => {})
      return inTurn(folder, async () => {
        const { files } = filesOf(folder)
        const before = await find(key)
        if (ifAbsent && before !== undefined) return false
        // The folder has to be there before a file can be put into it.
        await change(folder, (document) => document)
        const entry = await store(files, body)
        await change(folder, (document) => withObject(document, name, entry))
        if (before?.file !== undefined) await files.remove(before.file)
        return true
      }).finally(() => {
        if (body instanceof Readable) body.destroy()
      })
    },
    async delete(key) {
      const [folder, name] = split(validateKey(key))
      await inTurn(folder, async () => {
        const entry = await find(key)
        if (entry === undefined) return
        await change(folder, (document) => withoutObject(document, name))
        if (entry.file !== undefined) await filesOf(folder).files.remove(entry.file)
      })
    },
    async *list(prefix, { after = '' } = {}) {
      for await (const object of walk('', validatePrefix(prefix))) if (object.key > after) yield object
    },
  }
}

function safe(segment: string): string {
  return UNSAFE.test(segment) || segment.endsWith(MARK) ? segment + MARK : segment
}

/** Writes the bytes, unless they fit into the document. */
async function store(files: PackageFiles, body: Uint8Array | Readable): Promise<FolderEntry> {
  const parts = body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : [body].values()
  const first: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { value, done } = await parts.next()
    if (done === true) {
      const data = Buffer.concat(first).toString('base64')
      return { size, modified: new Date().toISOString(), data }
    }
    first.push(value)
    size += value.length
    if (size > MOST_INLINE) break
  }
  const file = `${randomUUID()}.bin`
  await files.write(file, counted())
  return { size, modified: new Date().toISOString(), file }

  async function* counted(): AsyncGenerator<Uint8Array> {
    yield* first.splice(0)
    for (;;) {
      const { value, done } = await parts.next()
      if (done === true) return
      size += value.length
      yield value
    }
  }
}

function infoOf(entry: FolderEntry | undefined): ObjectInfo {
  return { size: entry?.size ?? 0, modified: new Date(entry?.modified ?? 0) }
}

/** The folder of a key, and its name in it. */
function split(key: string): readonly [folder: string, name: string] {
  const slash = key.lastIndexOf('/')
  return [key.slice(0, Math.max(0, slash)), key.slice(slash + 1)]
}
