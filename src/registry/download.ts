import type { Logger } from '../host.ts'
import { mustExist, unknownCrate, unknownVersion } from '../protocol/decide.ts'
import type { CrateName } from '../protocol/name.ts'
import type { Version } from '../protocol/version.ts'
import type { Access, Caller } from './access.ts'
import type { AheadOfCallers } from './ahead-of-callers.ts'
import type { TrailWriter } from './audit/trail-writer.ts'
import type { Blobs } from './blobs.ts'
import { type CrateFile, type Download, hostedFile } from './crate-file.ts'
import type { CrateLog } from './crate-log.ts'
import type { DownloadCounts } from './download-counts.ts'
import type { Upstream } from './upstream/upstream.ts'

/** The `.crate` files, whether they are ours or an uplink's. */
export interface Downloads {
  /** @throws {CargoError} `not_found` for any spelling but the published one, and for those who may not read the crate */
  download(caller: Caller, name: CrateName, version: Version): Promise<Download>
}

export interface DownloadsDeps {
  readonly access: Access
  readonly log: CrateLog
  readonly blobs: Blobs
  readonly logger: Logger
  readonly upstream: Upstream
  readonly ahead: AheadOfCallers
  readonly counts: DownloadCounts
  /** Absent: who downloads what is nobody's business. */
  readonly trail: TrailWriter | undefined
  /** Makes the call, and tells the host when the rules deny it. */
  tellDenied<T>(caller: Caller, name: string, version: string, call: () => Promise<T>): Promise<T>
}

/** Beside the downloads: a file for the registry's own use, of a crate that the caller may read. */
export interface FilesOf extends Downloads {
  /** Takes note of a download that was completely sent: the whole file, or a range of it. */
  noteSent(caller: Caller, name: CrateName, version: Version, whole: boolean): void
  fileOf(caller: Caller, name: CrateName, version: Version): Promise<CrateFile>
}

export function createDownloads(deps: DownloadsDeps): FilesOf {
  const { access, log, blobs, logger, upstream, ahead, counts, trail } = deps

  async function fileOf(caller: Caller, name: CrateName, version: Version): Promise<CrateFile> {
    const { record } = await log.read(name)
    if (record !== undefined) return hostedFile({ blobs, logger }, mustExist(record, name), version)
    const file = await deps.tellDenied(caller, name, version, () => upstream.download(name, version))
    if (file !== undefined) return file
    throw (await upstream.proxied.find(name)) ? unknownVersion(name, version) : unknownCrate(name)
  }

  function noteSent(caller: Caller, name: CrateName, version: Version, whole: boolean): void {
    if (whole) counts.count(name, version)
    trail?.note(caller, name, version)
  }

  return {
    fileOf,
    noteSent,
    async download(caller, name, version) {
      await access.mustRead(caller, name)
      ahead.crateAsked(caller, name, version)
      const file = await fileOf(caller, name, version)
      if (file.size === undefined) ahead.missed(caller)
      return { ...file, sent: (whole) => noteSent(caller, name, version, whole) }
    },
  }
}
