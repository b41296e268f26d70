import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Verdaccio } from './host.ts'
import type { NpmUser } from './npm.ts'

/** Version 9 never answers paths with a dot in front of a segment; others answer all of them, in their own time. */
const PATIENCE_MS = 6_000

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

/** No spelling of any path of npm's reads a stored object, changes it or removes it. */
export async function routesReadNoCrates(
  verdaccio: Verdaccio,
  { token }: NpmUser,
  { npm, canaries }: Published,
): Promise<void> {
  const root = join(verdaccio.folder, 'storage')
  const objects = await filesBelow(join(root, '.cargo'))
  const kept = objects.map((file) => relative(root, file))
  const [change, blob] = [/crates\/he\/ll\/.*\/00000001/, /blobs\//].map((it) =>
    kept.find((file) => it.test(file)),
  )
  assert.ok(change !== undefined && blob !== undefined, kept.join('\n'))
  const paths = [change, blob].flatMap((file) => spellings(npm, file))
  const reads = await Promise.all([
    ...paths.map((path) => asked(verdaccio.origin, 'GET', path)),
    // A password is checked for each of these, which takes its time.
    ...spellings(npm, blob).map((path) => asked(verdaccio.origin, 'GET', path, token)),
  ])
  assert.ok(reads.filter(({ status }) => status !== 0).length >= 3, 'some were answered')
  for (const { what, status, text } of reads) {
    for (const canary of canaries)
      assert.ok(what.includes(canary) || !text.includes(canary), `${what}: ${text}`)
    assert.notEqual(status, 200, `${what}: ${text}`)
  }
  for (const path of ['/.cargo%2fcrates', '/.cargo%2fcrates/-rev/1-0', '/.cargo/crates/-rev/1-0']) {
    await asked(verdaccio.origin, 'PUT', path, token)
    await asked(verdaccio.origin, 'DELETE', path, token)
  }
  assert.deepEqual(await filesBelow(join(root, '.cargo')), objects)
}

/** The path of a stored file as npm's routes could take it for a package, or for a file of one. */
function spellings(npm: string, file: string): readonly string[] {
  const [folder, name] = [file.slice(0, file.lastIndexOf('/')), file.slice(file.lastIndexOf('/') + 1)]
  const whole = file.replaceAll('/', '%2f')
  return [
    `/${file}`,
    `/${whole}`,
    `/%2e${file.slice(1)}`,
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
}

interface Asked {
  readonly what: string
  /** 0: no answer. */
  readonly status: number
  readonly text: string
}

/** Asks with the path as it is; `fetch` would tidy it up. */
function asked(origin: string, method: string, path: string, token?: string): Promise<Asked> {
  const what = `${method} ${path}`
  const { hostname, port } = new URL(origin)
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { ...authorization, 'content-type': 'application/json' }
  return new Promise((resolve) => {
    const options = { hostname, port, method, path, headers, timeout: PATIENCE_MS }
    const sent = request(options, (response) => {
      buffer(response).then(
        (bytes) => resolve({ what, status: response.statusCode ?? 0, text: bytes.toString('latin1') }),
        () => resolve({ what, status: 0, text: '' }),
      )
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve({ what, status: 0, text: '' }))
    sent.end(method === 'PUT' ? '{"name":"x","versions":{},"dist-tags":{}}' : undefined)
  })
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
