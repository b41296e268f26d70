import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../support/download.ts'
import type { Verdaccio } from './host.ts'
import type { NpmUser } from './npm.ts'

/** Everything that is answered is, even on a busy machine; what is still silent so long after that, stays so. */
const PATIENCE_MS = 60_000
const SILENCE_MS = 500

/** What npm and the web show; only the second half is there in every version. */
const LISTS = [
  '/-/all',
  '/-/v1/search?text=hello&size=250',
  '/-/v1/search?text=&size=250',
  '/-/verdaccio/data/packages',
  '/-/verdaccio/data/search/hello',
] as const

/** A package and a crate, both called something with `hello`. */
export interface Published {
  readonly npm: string
  readonly crate: string
  /** What only the crate has: its checksum, its description. */
  readonly canaries: readonly string[]
}

/** npm's lists have the package and no trace of the crate. */
export async function listsHaveNoCrates(
  { origin }: Verdaccio,
  { token }: NpmUser,
  { npm, crate, canaries }: Published,
): Promise<void> {
  let shown = 0
  for (const path of LISTS) {
    const response = await fetch(origin + path, { headers: { authorization: `Bearer ${token}` } })
    const text = await response.text()
    if (response.status === 200 && text.includes(npm)) shown += 1
    for (const word of [crate, '.cargo', ...canaries]) assert.ok(!text.includes(word), `${path}: ${text}`)
  }
  assert.ok(shown >= 3, `${npm} itself is shown ${shown} times`)
}

/**
 * No spelling of any path of npm's reads a stored object, changes it or removes it; `isIgnored`: to which paths the
 * host never says anything at all.
 */
export async function routesReadNoCrates(
  verdaccio: Verdaccio,
  { token }: Pick<NpmUser, 'token'>,
  { npm, canaries }: Published,
  isIgnored: (path: string) => boolean,
): Promise<void> {
  const root = join(verdaccio.folder, 'storage')
  const before = await contentsOf(root)
  const kept = [...before.keys()]
  const [change, blob] = [/crates\/he\/ll\/.*\/00000001/, /blobs\//].map((it) =>
    kept.find((file) => it.test(file)),
  )
  assert.ok(change !== undefined && blob !== undefined, kept.join('\n'))
  const reads = [change, blob]
    .flatMap((file) => spellings(npm, file))
    .map((path) => ({ method: 'GET', path }))
  // A password is checked for each of these, which takes its time.
  const asUser = spellings(npm, blob).map((path) => ({ method: 'GET', path, token }))
  const writes = ['/.cargo%2fcrates', '/.cargo%2fcrates/-rev/1-0', '/.cargo/crates/-rev/1-0']
    .flatMap((path) => [path, escapeDots(path)])
    .flatMap((path) => ['PUT', 'DELETE'].map((method) => ({ method, path, token })))
  const answers = await askAll(verdaccio.origin, [...reads, ...asUser, ...writes], isIgnored)
  for (const { what, path, status, text } of answers) {
    assert.equal(status === undefined, isIgnored(path), `${what}: ${status} ${text}`)
    for (const canary of canaries)
      assert.ok(what.includes(canary) || !text.includes(canary), `${what}: ${text}`)
    assert.ok(status !== 200 && status !== 201, `${what}: ${text}`)
  }
  assert.deepEqual(await contentsOf(root), before)
}

/** What version 9 never answers, unless `server.dotfiles` is `allow`: paths with a dot in front of a segment. */
export function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => segment.length > 1 && segment.startsWith('.'))
}

/** The path of a stored file as npm's routes could take it for a package, or for a file of one. */
function spellings(npm: string, file: string): readonly string[] {
  const [folder, name] = [file.slice(0, file.lastIndexOf('/')), file.slice(file.lastIndexOf('/') + 1)]
  const whole = file.replaceAll('/', '%2f')
  const paths = [
    `/${file}`,
    `/${whole}`,
    `/${folder.replaceAll('/', '%2f')}`,
    `/${folder.replaceAll('/', '%2f')}/-/${name}`,
    `/@x%2f..%2f${whole}`,
    `/@${file}`,
    `/${npm}/-/../../${file}`,
    `/${npm}/-/..%2f..%2f${whole}`,
    `/${npm}/-/..%5c..%5c${file.replaceAll('/', '%5c')}`,
    `/${npm}/-/%252e%252e%252f${whole}`,
    `/-/static/../../${file}`,
    `/-/static/..%2f..%2f${whole}`,
    `/-/package/${folder.replaceAll('/', '%2f')}/dist-tags`,
    `/-/verdaccio/data/sidebar/${file}`,
    `/-/verdaccio/data/package/readme/${whole}`,
  ]
  return [...new Set(paths.flatMap((path) => [path, escapeDots(path)]))]
}

/** With the dots that make a path special as they pass for others. */
function escapeDots(path: string): string {
  return path.replaceAll('..', '%2e%2e').replace('.cargo', '%2ecargo')
}

interface Question {
  readonly method: string
  readonly path: string
  readonly token?: string
}

interface Answer extends Question {
  readonly what: string
  /** `undefined`: there was none. */
  readonly status: number | undefined
  readonly text: string
}

/** Asks everything at once; what the host ignores has time until long after all the rest is answered. */
async function askAll(
  origin: string,
  questions: readonly Question[],
  isIgnored: (path: string) => boolean,
): Promise<readonly Answer[]> {
  const over = new AbortController()
  const silent = questions.filter(({ path }) => isIgnored(path))
  const waiting = silent.map((question) => ask(origin, question, over.signal))
  const answers = await Promise.all(
    questions
      .filter(({ path }) => !isIgnored(path))
      .map((question) => ask(origin, question, AbortSignal.timeout(PATIENCE_MS))),
  )
  await sleep(SILENCE_MS)
  over.abort()
  return [...answers, ...(await Promise.all(waiting))]
}

/** Asks with the path as it is; `fetch` would tidy it up. */
function ask(origin: string, question: Question, signal: AbortSignal): Promise<Answer> {
  const { method, path, token } = question
  const { hostname, port } = new URL(origin)
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { ...authorization, 'content-type': 'application/json' }
  const answer = (status?: number, text = '') => ({ ...question, what: `${method} ${path}`, status, text })
  return new Promise((resolve) => {
    const sent = request({ hostname, port, method, path, headers, agent: false, signal }, (response) => {
      buffer(response).then(
        (bytes) => resolve(answer(response.statusCode, bytes.toString('latin1'))),
        () => resolve(answer()),
      )
    })
    sent.on('error', () => resolve(answer()))
    sent.end(method === 'PUT' ? '{"name":"x","versions":{},"dist-tags":{}}' : undefined)
  })
}

/** The checksum of every change and every crate file by its path below `root`. */
async function contentsOf(root: string): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>()
  for (const folder of ['.cargo/blobs', '.cargo/crates'])
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (entry.isFile()) contents.set(relative(root, file), sha256(await readFile(file)))
    }
  return contents
}
