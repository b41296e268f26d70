import { randomUUID } from 'node:crypto'
import { rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../host.ts'
import { type Outcome, type Outcomes, ok, renderMs, wrong } from './doctor-outcome.ts'
import { renderSize } from './progress.ts'
import { reasonOf } from './reason.ts'
import { findNoRegistry } from './registry-folder.ts'

const PREFIX = 'selftest'
const WRITERS = 64
const ROUNDS = 3
/** Below this, a few large crates fill the disk. */
const MIN_FREE = 1024 * 1024 * 1024
/** Apart by more than this, ages of objects and locks go wrong. */
const MAX_SKEW_MS = 5_000
/** Each publish waits for two or three of these. */
const SLOW_WRITE_MS = 200

/** Whether the folder is there; the store would make it. */
export async function checkFolder(folder: string): Promise<Outcome> {
  const problem = await findNoRegistry(folder)
  if (problem === undefined) return ok(`folder \`${folder}\``)
  return wrong(
    problem,
    'correct `storage.fs.path` or `--data`, mount its disk, or start the server once, which makes it',
  )
}

/** Whether the store does what the registry relies on; everything that is written goes away again. */
export async function* checkStorage(storage: ObjectStore, now: () => Date): Outcomes {
  const root = `${PREFIX}/${randomUUID()}`
  try {
    yield await roundTrip(storage, `${root}-object`, now)
    yield await raced(storage, root)
  } catch (error) {
    yield wrong(
      `cannot be used: ${reasonOf(error)}`,
      'look at the rights, the mount and the disk of the folder',
    )
  } finally {
    for await (const { key } of storage.list(root)) await storage.delete(key)
  }
}

/** The folder that the self-test leaves empty. */
export async function removeLeftovers(folder: string): Promise<void> {
  // Another doctor may be at work in it, or none have been.
  await rmdir(join(folder, PREFIX)).catch(() => {})
}

/** Whether there is room for more, in the store and where crates are on their way. */
export async function* checkSpace(folder: string): Outcomes {
  for (const [what, path] of [
    ['the storage', folder],
    ['temporary files', tmpdir()],
  ] as const) {
    const { bavail, bsize, files, ffree } = await statfs(path)
    const free = bavail * bsize
    const text = `${renderSize(free)} are free for ${what}`
    if (free < MIN_FREE) yield wrong(text, `make room on the disk of \`${path}\``)
    // Some file systems have no fixed number of files.
    else if (files > 0 && ffree < files / 100)
      yield wrong(`${ffree} more files fit for ${what}`, `make room for files on the disk of \`${path}\``)
    else yield ok(text)
  }
}

async function roundTrip(storage: ObjectStore, key: string, now: () => Date): Promise<Outcome> {
  const bytes = Buffer.from(key)
  const [before, at] = [performance.now(), now().getTime()]
  await storage.put(key, bytes)
  const took = performance.now() - before
  const object = await storage.get(key)
  const isSame = object !== undefined && (await buffer(object.body)).equals(bytes)
  const listed: string[] = []
  for await (const found of storage.list(key)) listed.push(found.key)
  await storage.delete(key)
  if (!isSame || listed.join() !== key || (await storage.stat(key)) !== undefined)
    return wrong('what is written is not what is read, listed and deleted', 'use another file system')
  const skew = object.modified.getTime() - at
  if (Math.abs(skew) > MAX_SKEW_MS)
    return wrong(`its clock is ${Math.round(skew / 1000)} s off the one here`, 'let both be set by NTP')
  if (took > SLOW_WRITE_MS)
    return wrong(
      `a durable write takes ${renderMs(took)}`,
      'use a faster disk: every publish waits for several',
    )
  return ok(`write (${renderMs(took)}, durable), read, list and delete; its clock agrees with the one here`)
}

/** Of any number of writers of a new key exactly one must win: everything rests on it. */
async function raced(storage: ObjectStore, root: string): Promise<Outcome> {
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${root}-race-${round}`
    const won = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) =>
        storage.put(key, Buffer.from(String(writer)), { ifAbsent: true }),
      ),
    )
    const object = await storage.get(key)
    const holder = object && (await buffer(object.body)).toString()
    const winners = won.flatMap((isWinner, writer) => (isWinner ? [String(writer)] : []))
    if (winners.length !== 1 || winners[0] !== holder)
      return wrong(
        `of ${WRITERS} writers of one new key, ${winners.length} won`,
        'publishes could be lost: use a file system with atomic hard links (no SMB, no FUSE without links)',
      )
  }
  return ok(`of ${WRITERS} writers of one new key, one wins`)
}
