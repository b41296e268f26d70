import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Result, ratioOf } from './table.ts'

const FILE = join(import.meta.dirname, 'RESULTS.md')
/** A ratio may be so much of the one that is kept; figures of busy machines differ by as much. */
const WORST = 0.75

/** Writes the table of a whole run, with the machine and the versions that it is of. */
export async function keep(table: string, rounds: string, versions: readonly string[]): Promise<void> {
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`
  const text = [
    '# Results',
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine}; ${versions.join(', ')}.`,
    `${rounds}. Server, nginx and load generator share the machine: only the ratios say anything, each of two rates that were measured one after the other.`,
    table,
  ]
  await writeFile(FILE, `${text.join('\n\n').trimEnd()}\n`)
}

/** What has become worse than the kept ratios allow, in words. */
export async function regressions(results: readonly Result[]): Promise<readonly string[]> {
  const kept = parseRatios(await readFile(FILE, 'utf8'))
  return results.flatMap((result) => {
    const before = kept.get(result.name)
    const ratio = ratioOf(result)
    if (before === undefined || ratio >= WORST * before) return []
    return [`${result.name}: ${ratio.toFixed(2)} of nginx, it was ${before.toFixed(2)}`]
  })
}

/** The ratios of a table of `renderTable()`, by name. */
function parseRatios(text: string): ReadonlyMap<string, number> {
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(
    rows.flatMap(([, name = '', , , ratio = '']) =>
      /^\d+\.\d+$/.test(ratio) ? [[name, Number(ratio)]] : [],
    ),
  )
}
