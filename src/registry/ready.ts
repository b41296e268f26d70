import type { ObjectInfo, OpenObject } from '../host.ts'
import type { CrateName } from '../protocol/name.ts'
import { findVersion } from '../protocol/record.ts'
import type { Version } from '../protocol/version.ts'
import type { Access, Caller } from './access.ts'
import type { AheadOfCallers } from './ahead-of-callers.ts'
import type { Blobs } from './blobs.ts'
import type { CrateLog, WarmCrate } from './crate-log.ts'
import type { FilesOf } from './download.ts'
import { type IndexFile, indexFile } from './index-file.ts'
import { type Soon, whenHere } from './soon.ts'
import type { JoinFetch } from './upstream/proxied-files.ts'
import type { ReadyVersion, Upstream } from './upstream/upstream.ts'

/**
 * What can be answered from memory, with a look at whether it is still so, as {@link Registry} would answer it. Nothing
 * is noted before it is `taken`: whoever makes nothing of it may ask the registry itself.
 */
export interface Ready {
  /**
   * The index file, or that there is none for this caller.
   * @throws {CargoError} when the host does not say what the caller may do
   */
  index(caller: Caller, name: CrateName): Soon<Taken<ReadyIndex> | undefined>
  /**
   * The file of a version; of large ones those that this process has verified before. One that is not in memory is open,
   * and must be closed. For those who can `join`, also one that has to come from an uplink.
   * @throws {CargoError} as {@link Ready.index}, and when the store is away
   */
  download(caller: Caller, name: CrateName, version: Version, join: boolean): Soon<ReadyDownload | undefined>
}

export type ReadyDownload = Taken<ReadyFile> | Taken<ComingFile>

/** A `.crate` file that was verified. */
export interface ReadyFile extends ObjectInfo {
  readonly cksum: string
  readonly content: Buffer | OpenObject
  /** To be told once the whole file was completely sent. */
  sent(): void
}

/** A `.crate` file that is on its way from an uplink. */
export interface ComingFile {
  readonly cksum: string
  readonly join: JoinFetch
  /** As {@link ReadyFile.sent}. */
  sent(): void
}

export type ReadyIndex =
  | { readonly found: true; readonly file: IndexFile }
  /** For those who may not read it, it does not exist. */
  | { readonly found: false }

export type Taken<T> = T & {
  /** To be told that this is the answer. */
  taken(): void
}

export interface ReadyDeps {
  readonly access: Access
  readonly log: Pick<CrateLog, 'warm'>
  readonly blobs: Pick<Blobs, 'ready' | 'open' | 'address'>
  readonly upstream: Pick<Upstream, 'ready' | 'readyVersion'>
  readonly ahead: AheadOfCallers
  readonly noteSent: FilesOf['noteSent']
  /** How the record of a crate, or that there is none, was found. */
  onLookup(found: WarmCrate['found']): void
}

export function createReady(deps: ReadyDeps): Ready {
  const { access, log, blobs, upstream, ahead, onLookup } = deps

  function ofUplinks(caller: Caller, name: string, { found }: WarmCrate): Taken<ReadyIndex> | undefined {
    const served = upstream.ready(name)
    if (served === undefined) return undefined
    if (served === 'absent') return { found: false, taken: () => onLookup(found) }
    return {
      found: true,
      file: served.file,
      taken() {
        onLookup(found)
        ahead.servedUpstream(caller, name, served)
      },
    }
  }

  /** A version, local or not. */
  function versionOf(
    { record }: WarmCrate,
    name: CrateName,
    version: Version,
  ): (Partial<ReadyVersion> & { readonly cksum: string }) | undefined {
    if (record === undefined) return upstream.readyVersion(name, version)
    const entry = record.removed || record.name !== name ? undefined : findVersion(record, version)?.entry
    return entry?.vers === version ? entry : undefined
  }

  function indexOf(caller: Caller, name: CrateName, known: WarmCrate): Taken<ReadyIndex> | undefined {
    const { record } = known
    if (record === undefined) return ofUplinks(caller, name, known)
    // Other spellings, and what was removed, have answers of their own.
    if (record.removed || record.versions.size === 0 || record.name.toLowerCase() !== name) return undefined
    return {
      found: true,
      file: indexFile(record, false),
      taken() {
        onLookup(known.found)
        ahead.servedLocal(caller, record)
      },
    }
  }

  function fileOf(
    caller: Caller,
    name: CrateName,
    version: Version,
    join: boolean,
    known: WarmCrate,
  ): Soon<ReadyDownload | undefined> {
    const found = versionOf(known, name, version)
    if (found === undefined) return undefined
    const { cksum } = found
    const notes = {
      cksum,
      taken() {
        onLookup(known.found)
        ahead.crateAsked(caller, name, version)
      },
      sent: () => deps.noteSent(caller, name, version, true),
    }
    const coming = (fetch: JoinFetch | undefined) =>
      fetch && {
        ...notes,
        join: fetch,
        taken() {
          notes.taken()
          ahead.missed(caller)
        },
      }
    const stored = ({ size, modified }: ObjectInfo, content: Buffer | OpenObject) => ({
      ...notes,
      ...{ size, modified, content },
    })
    const look = async () => {
      const file = await blobs.open(cksum)
      if (file === 'absent') return join ? coming(found.fetch) : undefined
      return file && stored(file, 'bytes' in file ? file.bytes : file)
    }
    return whenHere(
      join ? found.joining?.() : undefined,
      (joined) =>
        coming(joined) ?? whenHere(blobs.ready(cksum), (blob) => (blob ? stored(blob, blob.bytes) : look())),
    )
  }

  return {
    download(caller, name, version, join) {
      // Where the store itself sends files, clients are told so.
      if (blobs.address !== undefined) return undefined
      return whenHere(access.may(caller, 'read', name), (isAllowed) =>
        isAllowed
          ? whenHere(log.warm(name), (known) => known && fileOf(caller, name, version, join, known))
          : undefined,
      )
    },
    index(caller, name) {
      return whenHere(access.may(caller, 'read', name), (isAllowed) =>
        isAllowed
          ? whenHere(log.warm(name), (known) => known && indexOf(caller, name, known))
          : { found: false, taken() {} },
      )
    },
  }
}
