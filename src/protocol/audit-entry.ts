import type { Change, ChangeKind } from './change.ts'
import type { DownloadRecord } from './download-record.ts'

/** What an auditor is told of one change. Never carries a credential. */
export interface ChangeEntry {
  readonly kind: ChangeKind
  /** As the first publish spelled it. */
  readonly crate: string
  /** Absent where the change is of the whole crate. */
  readonly version?: string
  readonly by: string
  readonly tokenId?: string
  readonly at: string
  /** The base URL that it came through. */
  readonly via: string
  /** The number of the change in the crate's log. */
  readonly n: number
  readonly detail?: Readonly<Record<string, unknown>>
}

/** A change that cannot be read: that there was one is all that is known. */
export interface DamagedEntry {
  readonly kind: 'damaged'
  /** The name in canonical form. */
  readonly crate: string
  readonly n: number
  readonly detail: { readonly problem: string }
}

/** A download that was audited. */
export interface DownloadEntry extends DownloadRecord {
  readonly kind: 'download'
}

export type AuditEntry = ChangeEntry | DamagedEntry | DownloadEntry

/** What change `n` of a crate is to an auditor. */
export function changeEntry(crate: string, n: number, change: Change): ChangeEntry {
  const { kind, by, tokenId, at, via } = change
  const [version, detail] = subjectOf(change)
  return {
    kind,
    crate,
    ...(version !== undefined && { version }),
    by,
    ...(tokenId !== undefined && { tokenId }),
    at,
    via,
    n,
    ...(detail !== undefined && { detail }),
  }
}

function subjectOf(change: Change): readonly [version?: string, detail?: ChangeEntry['detail']] {
  switch (change.kind) {
    case 'publish': {
      const { entry, details, owners } = change
      return [entry.vers, { cksum: entry.cksum, size: details.size, ...(owners && { owners }) }]
    }
    case 'yank':
    case 'unyank':
    case 'remove':
      return [change.vers]
    case 'owners':
      return [undefined, { owners: change.owners }]
  }
}
