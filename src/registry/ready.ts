import type { CrateName } from '../protocol/name.ts'
import type { Access, Caller } from './access.ts'
import type { AheadOfCallers } from './ahead-of-callers.ts'
import type { CrateLog } from './crate-log.ts'
import { type IndexFile, indexFile } from './index-file.ts'
import type { Upstream } from './upstream/upstream.ts'

/**
 * What can be answered at once, from memory, as {@link Registry} would answer it. Nothing is noted before it is
 * `taken`: whoever makes nothing of it may ask the registry itself.
 */
export interface Ready {
  /**
   * The index file, or that there is none for this caller.
   * @throws {CargoError} when the host does not say what the caller may do
   */
  index(caller: Caller, name: CrateName): Promise<Taken<ReadyIndex> | undefined>
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
  readonly log: Pick<CrateLog, 'peek'>
  readonly upstream: Pick<Upstream, 'ready'>
  readonly ahead: AheadOfCallers
  /** The record of a crate, or that there is none, was found in memory. */
  onHit(): void
}

export function createReady({ access, log, upstream, ahead, onHit }: ReadyDeps): Ready {
  function ofUplinks(caller: Caller, name: string): Taken<ReadyIndex> | undefined {
    const served = upstream.ready(name)
    if (served === undefined) return undefined
    if (served === 'absent') return { found: false, taken: onHit }
    return {
      found: true,
      file: served.file,
      taken() {
        onHit()
        ahead.servedUpstream(caller, name, served.entries)
      },
    }
  }

  return {
    async index(caller, name) {
      if (!(await access.may(caller, 'read', name))) return { found: false, taken() {} }
      const known = log.peek(name)
      if (known === undefined) return undefined
      const { record } = known
      if (record === undefined) return ofUplinks(caller, name)
      // Other spellings, and what was removed, have answers of their own.
      if (record.removed || record.versions.size === 0 || record.name.toLowerCase() !== name) return undefined
      return {
        found: true,
        file: indexFile(record, false),
        taken() {
          onHit()
          ahead.servedLocal(caller, record)
        },
      }
    },
  }
}
