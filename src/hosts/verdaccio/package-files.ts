import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A file that was written gets its name within so many milliseconds. */
const NAMING_MS = 10_000
const NAMING_POLL_MS = 5

/** A package as a store plugin keeps it: a JSON document and files. */
export interface PackageFiles {
  /** The document; `undefined` when there is no such package. */
  read(): Promise<unknown>
  /** Writes the document; the first time with `isNew`. */
  save(document: object, isNew: boolean): Promise<void>
  /** Writes a file that is not there yet. */
  write(file: string, body: AsyncIterable<Uint8Array>): Promise<void>
  open(file: string): Promise<Readable | undefined>
  remove(file: string): Promise<void>
}

type Done<T> = (error: unknown, value?: T) => void

/** A package of a store plugin up to version 6. */
interface LegacyPackage {
  readPackage(name: string, done: Done<unknown>): void
  createPackage(name: string, document: object, done: Done<void>): void
  savePackage(name: string, document: object, done: Done<void>): void
  deletePackage(file: string, done: Done<void>): void
  writeTarball(file: string): Writable & { done(): void; abort(): void }
  readTarball(file: string): Readable & { abort(): void }
}

/** A package of a store plugin for version 9. */
interface ModernPackage {
  readPackage(name: string): Promise<unknown>
  createPackage(name: string, document: object): Promise<unknown>
  savePackage(name: string, document: object): Promise<unknown>
  deletePackage(file: string): Promise<unknown>
  writeTarball(file: string, options: { readonly signal: AbortSignal }): Promise<Writable>
  readTarball(file: string, options: { readonly signal: AbortSignal }): Promise<Readable>
  hasTarball(file: string): Promise<boolean>
}

/** What a store plugin has for a package name. */
export type StoredPackage = LegacyPackage | ModernPackage

/** The package by promises, whichever of the two shapes the plugin has. */
export function packageFiles(of: StoredPackage, name: string): PackageFiles {
  return isLegacy(of) ? legacyFiles(of, name) : modernFiles(of, name)
}

function isLegacy(of: StoredPackage): of is LegacyPackage {
  return of.readPackage.length >= 2
}

function legacyFiles(of: LegacyPackage, name: string): PackageFiles {
  return {
    read: () => orAbsent(promised((done) => of.readPackage(name, done))),
    save: (document, isNew) =>
      promised((done) =>
        isNew ? of.createPackage(name, document, done) : of.savePackage(name, document, done),
      ),
    async write(file, body) {
      const stream = of.writeTarball(file)
      // `success` is the only word that is said when the file is there, and some plugins say `open` never.
      const written = once(stream, 'success')
      written.catch(() => {})
      try {
        for await (const chunk of body)
          if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), written])
        stream.end()
        stream.done()
        await written
      } catch (error) {
        stream.abort()
        throw error
      }
    },
    async open(file) {
      const stream = of.readTarball(file)
      const isThere = await orAbsent(
        Promise.race([once(stream, 'open'), once(stream, 'content-length')]).then(() => true),
      )
      return isThere ? stream.on('error', () => {}) : undefined
    },
    remove: async (file) => {
      await orAbsent(promised((done) => of.deletePackage(file, done)))
    },
  }
}

function modernFiles(of: ModernPackage, name: string): PackageFiles {
  const { signal } = new AbortController()
  return {
    read: () => orAbsent(of.readPackage(name)),
    async save(document, isNew) {
      await (isNew ? of.createPackage(name, document) : of.savePackage(name, document))
    },
    async write(file, body) {
      const stream = await of.writeTarball(file, { signal })
      const closed = once(stream, 'close')
      closed.catch(() => {})
      await pipeline(body, stream)
      await closed
      // The local store gives it its name behind that, and tells nobody when it could not.
      for (let waited = 0; !(await of.hasTarball(file)); waited += NAMING_POLL_MS) {
        if (waited > NAMING_MS) throw new Error(`the file \`${file}\` was written and is not there`)
        await sleep(NAMING_POLL_MS)
      }
    },
    async open(file) {
      const stream = await orAbsent(of.readTarball(file, { signal }))
      // It may fail before somebody reads it, which without a listener ends the process; reading tells it later.
      return stream?.on('error', () => {})
    },
    async remove(file) {
      await orAbsent(of.deletePackage(file))
    },
  }
}

function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error === null || error === undefined ? resolve(value as T) : reject(error)))
  })
}

/** Absence is told as a failure. */
async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    const { code, status, statusCode } = error as Readonly<Record<string, unknown>>
    if ([code, status, statusCode].some((it) => it === 'ENOENT' || it === 404 || it === '404'))
      return undefined
    throw error
  }
}
