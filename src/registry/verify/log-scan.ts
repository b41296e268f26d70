import { type Change, parseChange } from '../../protocol/change.ts'
import { parseLines } from '../../protocol/index-lines.ts'
import { canonicalName, namesCollide } from '../../protocol/name.ts'
import {
  type CrateRecord,
  encodeRecord,
  findVersion,
  foldChange,
  parseRecord,
} from '../../protocol/record.ts'
import { isSealed } from '../../protocol/seal.ts'
import { blobKey, changeKey, checkpointKey, numberOf } from '../keys.ts'
import type { ScannedBlobs } from './blob-scan.ts'
import { type Check, inParallel, problemOf, readObject, reportStray } from './check.ts'

const FROM_BACKUP = 'restore it from a backup'

/** A crate's folder in the store. */
interface CrateFolder {
  readonly name: string
  /** Of its changes, in their order. */
  readonly numbers: number[]
}

/** A checkpoint as it is stored. */
interface Checkpoint {
  /** Absent: it is damaged. */
  readonly copy: CrateRecord | undefined
}

/**
 * Folds every log, compares its checkpoint, and looks for the blobs of its versions. `onRecord` is told of every
 * crate; of one whose log is damaged without its record.
 */
export async function scanLogs(
  check: Check,
  blobs: ScannedBlobs,
  onRecord: (name: string, record: CrateRecord | undefined) => void,
): Promise<void> {
  await inParallel(crateFolders(check), check.signal, async ({ name, numbers }) => {
    check.counts.crates += 1
    const record = await scanLog(check, name, numbers)
    onRecord(name, record)
    if (record !== undefined) await scanVersions(check, blobs, record)
  })
  await scanLostLogs(check)
}

/** Changes of one crate follow each other in the order of keys. */
async function* crateFolders(check: Check): AsyncGenerator<CrateFolder> {
  let current: CrateFolder | undefined
  for await (const { key } of check.storage.list('crates/')) {
    const name = key.split('/').at(-2) ?? ''
    const n = numberOf(key) ?? 0
    if (n === 0 || canonicalName(name) !== name || changeKey(name, n) !== key) {
      reportStray(check, key)
    } else if (current?.name === name) {
      current.numbers.push(n)
    } else {
      if (current !== undefined) yield current
      current = { name, numbers: [n] }
    }
  }
  if (current !== undefined) yield current
}

/** The state of a crate as of now; `undefined`, and a finding, when it cannot be known. */
async function scanLog(
  check: Check,
  name: string,
  listed: readonly number[],
): Promise<CrateRecord | undefined> {
  // Read before the changes, so that those it knows are all there.
  const checkpoint = await readCheckpoint(check, name)
  const copyAt = checkpoint?.copy?.n ?? 0
  let record: CrateRecord | undefined
  let isBroken = false
  let differs = checkpoint !== undefined && checkpoint.copy === undefined
  for await (const [n, change] of changesOf(check, name, listed, copyAt)) {
    const next: CrateRecord | undefined =
      change && !isBroken ? fold(check, name, record, n, change) : undefined
    isBroken ||= next === undefined
    record = next
    if (next !== undefined && n === copyAt) differs = !isFold(checkpoint, next)
  }
  if (record === undefined) {
    if (checkpoint !== undefined && checkpoint.copy === undefined) reportUnreadable(check, name)
    return undefined
  }
  if (copyAt > record.n) reportAhead(check, record, copyAt)
  else if (differs) await mendCheckpoint(check, name, record)
  return record
}

/** The changes up to the last one that is listed, or that a checkpoint knows; damaged and missing ones are `undefined`. */
async function* changesOf(
  check: Check,
  name: string,
  listed: readonly number[],
  copyAt: number,
): AsyncGenerator<readonly [number, Change | undefined]> {
  let next = 1
  for (const until of listed) {
    // A list may lack what was stored while it was made.
    while (next <= until) {
      const change = await readChange(check, name, next)
      if (change === 'absent') reportGap(check, name, next)
      yield [next, change === 'absent' ? undefined : change]
      next = change === 'absent' && next < until ? until : next + 1
    }
  }
  for (; next <= copyAt; next++) {
    const change = await readChange(check, name, next)
    if (change === 'absent') return
    yield [next, change]
  }
}

async function readCheckpoint(check: Check, name: string): Promise<Checkpoint | undefined> {
  const found = await readObject(check, [name], checkpointKey(name))
  if (typeof found !== 'object') return undefined
  const copy = parseRecord(found.bytes, name)
  if (copy !== undefined && !isSealed(found.bytes)) check.counts.unsealed += 1
  return { copy }
}

async function readChange(check: Check, name: string, n: number): Promise<Change | 'absent' | undefined> {
  const key = changeKey(name, n)
  const found = await readObject(check, [name], key)
  if (typeof found !== 'object') return found === 'absent' ? found : undefined
  check.counts.changes += 1
  try {
    const change = parseChange(found.bytes)
    if (!isSealed(found.bytes)) check.counts.unsealed += 1
    return change
  } catch (error) {
    const problem = problemOf(error)
    check.report({ crates: [name], key, problem, remedy: FROM_BACKUP, repaired: false })
    return undefined
  }
}

function fold(
  check: Check,
  name: string,
  record: CrateRecord | undefined,
  n: number,
  change: Change,
): CrateRecord | undefined {
  const key = changeKey(name, n)
  const finding = { crates: [name], key, remedy: FROM_BACKUP, repaired: false }
  try {
    const next = foldChange(record, n, change)
    const version = change.kind === 'publish' ? findVersion(next, change.entry.vers) : undefined
    if (version !== undefined) parseLines(version.line, { name: next.name, oldGrammar: true })
    if (namesCollide(next.name, name)) return next
    check.report({ ...finding, problem: `it is of the crate \`${next.name}\`` })
  } catch (error) {
    check.report({ ...finding, problem: problemOf(error) })
  }
  return undefined
}

/** Builds that did not seal wrote the same in other bytes. */
function isFold(checkpoint: Checkpoint | undefined, record: CrateRecord): boolean {
  return checkpoint?.copy !== undefined && encodeRecord(checkpoint.copy).equals(encodeRecord(record))
}

function reportUnreadable(check: Check, name: string): void {
  check.report({
    ...{ crates: [name], key: checkpointKey(name), repaired: false },
    problem: 'is damaged',
    remedy: 'once the changes are restored, `--repair` writes it anew from them',
  })
}

function reportGap(check: Check, name: string, n: number): void {
  const problem = 'is missing, although later changes are there'
  check.report({ crates: [name], key: changeKey(name, n), problem, remedy: FROM_BACKUP, repaired: false })
}

function reportAhead(check: Check, { name, n }: CrateRecord, copyAt: number): void {
  check.report({
    ...{ crates: [name], key: checkpointKey(name), repaired: false },
    problem: `knows changes up to ${copyAt}, and the log ends at ${n}`,
    remedy: `restore \`${changeKey(name, n + 1)}\` and what follows from a backup, or remove the checkpoint`,
  })
}

async function mendCheckpoint(check: Check, name: string, record: CrateRecord): Promise<void> {
  const key = checkpointKey(name)
  if (check.repair) await check.storage.put(key, encodeRecord(record))
  check.report({
    ...{ crates: [name], key, repaired: check.repair },
    problem: 'is not what the changes come to',
    remedy: check.repair ? 'written anew from the changes' : '`--repair` writes it anew from the changes',
  })
}

/** A blob is durable before its version is published, so that there is none that is on its way. */
async function scanVersions(check: Check, blobs: ScannedBlobs, record: CrateRecord): Promise<void> {
  for (const { entry } of record.versions.values()) {
    const crate = `${record.name}@${entry.vers}`
    const key = blobKey(entry.cksum)
    // Published after the blobs were listed, perhaps.
    if (blobs.reference(entry.cksum, crate, true) || (await check.storage.stat(key)) !== undefined) continue
    check.report({
      ...{ crates: [crate], key, repaired: false },
      problem: 'is missing, although the version is published',
      remedy: 'restore it from a backup: until then its downloads answer 503',
    })
  }
}

/** Checkpoints whose crate has lost its log, or whose names nothing has. */
async function scanLostLogs(check: Check): Promise<void> {
  async function* keys(): AsyncGenerator<string> {
    for await (const { key } of check.storage.list('checkpoints/')) yield key
  }
  await inParallel(keys(), check.signal, async (key) => {
    const name = /\/([^/]+)\.json$/.exec(key)?.[1] ?? ''
    if (checkpointKey(name) !== key) return reportStray(check, key)
    check.counts.checkpoints += 1
    if ((await check.storage.stat(changeKey(name, 1))) !== undefined) return
    check.report({
      ...{ crates: [name], key, repaired: false },
      problem: 'its crate has no first change: to clients, it does not exist',
      remedy: `restore \`${changeKey(name, 1)}\` and what follows from a backup`,
    })
  })
}
