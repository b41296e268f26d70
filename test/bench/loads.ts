import type { Sample } from './load.ts'
import { renderMarkdown } from './markdown.ts'
import { median } from './rows.ts'

/** What one server did under one load, round by round. */
export interface Load {
  readonly name: string
  readonly server: string
  readonly samples: readonly Sample[]
}

/** Medians, in Markdown. */
export function renderLoads(loads: readonly Load[]): string {
  const head = ['', 'server', 'req/s', 'MB/s', 'processor time, µs/req', 's/GB']
  return renderMarkdown(
    head,
    loads.map(({ name, server, samples }) => {
      const of = (what: keyof Sample, scale = 1) => scale * median(samples.map((sample) => sample[what]))
      const rates = [of('rate'), of('bytes', 1e-6), of('cpu')].map((value) => Math.round(value))
      return [name, server, ...rates.map((value) => value.toLocaleString('en')), of('cpuOfGB').toFixed(2)]
    }),
  )
}
