import {
  entriesOf,
  isGone,
  isSealedCopy,
  parseCopy,
  type UpstreamCopy,
} from '../../protocol/upstream-copy.ts'
import { copyKey, numberOf } from '../keys.ts'
import type { ScannedBlobs } from './blob-scan.ts'
import { type Check, inParallel, problemOf, readObject, reportStray } from './check.ts'

const COPY_KEY = /^upstream\/([^/]+)\/(?:.+)\/([^/]+)\/\d+\.json$/
const FROM_BACKUP =
  'restore it from a backup, or remove it: the one before it is used, or the uplink asked anew'

/** The copies of an uplink's index file. */
interface CopyFolder {
  readonly uplink: string
  readonly name: string
  readonly numbers: number[]
}

/**
 * Reads every stored copy of an uplink's index file with all its lines, and takes note of the checksums in it.
 * `onCopy` is told of the newest sound one of each file.
 */
export async function scanCopies(
  check: Check,
  blobs: ScannedBlobs,
  onCopy: (name: string, copy: UpstreamCopy) => void,
): Promise<void> {
  await inParallel(copyFolders(check), check.signal, async ({ uplink, name, numbers }) => {
    let newest: UpstreamCopy | undefined
    for (const n of numbers) {
      const copy = await scanCopy(check, uplink, name, n)
      if (copy === undefined) continue
      newest = copy
      const entries = isGone(copy) ? [] : entriesOf(name, copy.body)
      for (const { vers, cksum } of entries) blobs.reference(cksum, `${name}@${vers}`, false)
    }
    if (newest !== undefined) onCopy(name, newest)
  })
}

async function* copyFolders(check: Check): AsyncGenerator<CopyFolder> {
  let current: CopyFolder | undefined
  for await (const { key } of check.storage.list('upstream/')) {
    const [, uplink = '', name = ''] = COPY_KEY.exec(key) ?? []
    const n = numberOf(key) ?? 0
    if (n === 0 || copyKey(uplink, name, n) !== key) {
      reportStray(check, key)
    } else if (current?.name === name && current.uplink === uplink) {
      current.numbers.push(n)
    } else {
      if (current !== undefined) yield current
      current = { uplink, name, numbers: [n] }
    }
  }
  if (current !== undefined) yield current
}

/** `undefined` for a damaged one, and for one that a newer one has replaced meanwhile. */
async function scanCopy(
  check: Check,
  uplink: string,
  name: string,
  n: number,
): Promise<UpstreamCopy | undefined> {
  const key = copyKey(uplink, name, n)
  const found = await readObject(check, [name], key)
  if (typeof found !== 'object') return undefined
  check.counts.copies += 1
  const finding = { crates: [name], key, remedy: FROM_BACKUP, repaired: false }
  try {
    const copy = parseCopy(found.bytes)
    if (!isGone(copy)) entriesOf(name, copy.body)
    if (!isSealedCopy(found.bytes)) check.counts.unsealed += 1
    if (copy.n === n) return copy
    check.report({ ...finding, problem: `has the number ${copy.n}` })
  } catch (error) {
    check.report({ ...finding, problem: problemOf(error) })
  }
  return undefined
}
