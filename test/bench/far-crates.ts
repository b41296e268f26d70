import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { makeCertificate } from '../support/certificate.ts'
import { serveUplink } from '../support/uplink.ts'
import { askIndex } from './cold-crates.ts'
import { startColdRegistry } from './cold-registry.ts'
import { type Case, rotate } from './contest.ts'
import { LARGE, newCrate } from './crates.ts'
import { startDistance } from './distance.ts'
import { atMost } from './rows.ts'
import { downloadPath, LOGIN, type Stage } from './stage.ts'
import { timedGet } from './timed-get.ts'

const ROUND_TRIP_MS = 50
/** As curl, and so cargo, lets a server send over HTTP/2 before it hears of them. */
const WINDOWS = { initialWindowSize: 10 * 2 ** 20, connectionWindowSize: 1000 * 2 ** 20 }

/** A crate that nobody has asked for, from an uplink that is far away: through us, and straight, over HTTP/2 both times. */
export async function farCase({ folder, endings }: Stage): Promise<Case> {
  const certificate = await makeCertificate(folder)
  const [far] = await endings.started(startDistance(ROUND_TRIP_MS))
  const origin = far.origin.replace('http:', 'https:')
  const uplink = await serveUplink({ dl: `${origin}/crates/{crate}/{version}/download` }, certificate)
  endings.add(() => uplink.close())
  far.to(Number(new URL(uplink.origin).port))
  const ca = await readFile(certificate.certFile)
  const dispatcher = new Agent({ allowH2: true, ...WINDOWS, connect: { ca, allowH2: true, preferH2: true } })
  endings.add(() => dispatcher.destroy())
  const [registry] = await endings.started(
    startColdRegistry(folder, { url: `${origin}/index/`, ca: certificate.certFile }, {}),
  )
  const [through, straight]: number[][] = [[], []]

  async function getStraight(path: string): Promise<number> {
    const began = performance.now()
    const { statusCode, body } = await request(origin + path, { dispatcher })
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
    for await (const _ of body);
    return performance.now() - began
  }

  return {
    name: 'cold .crate, 10 MB, from afar',
    quickRounds: 3,
    async round(number) {
      const { name, version } = uplink.publish(newCrate(`far-${number}`, LARGE))
      await Promise.all([askIndex(registry.url, name), getStraight(uplink.indexPath(name))])
      const ways = [
        async () => void through?.push((await timedGet(registry.url + downloadPath(name), LOGIN)).last),
        async () =>
          void straight?.push(await getStraight(uplink.cratePath(name, version).replace(uplink.origin, ''))),
      ]
      for (const way of rotate(ways, number)) await way()
    },
    rows: () => [
      {
        name: `cold .crate, 10 MB, from ${ROUND_TRIP_MS} ms away over HTTP/2: total ÷ straight`,
        ...{ unit: 'ms', figure: 'ratio', ours: through ?? [], theirs: straight ?? [] },
        goal: atMost(1.05, 1.02),
      },
    ],
  }
}
