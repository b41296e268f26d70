import type { MetricsRegistry } from 'verdaccio-cargo'

/** As much of prom-client's metrics as we read. */
interface Metric {
  readonly name: string
  get(): Promise<{
    readonly help: string
    readonly type: string
    readonly values: readonly {
      readonly metricName?: string
      readonly value: number
      readonly labels: Readonly<Record<string, string | number>>
    }[]
  }>
}

/** The metrics of the host, in one place for all its formats. */
export interface HostMetrics extends MetricsRegistry {
  /** Prometheus' text format. */
  render(): Promise<string>
}

/** Two methods are all that is asked; with prom-client in the host, its `Registry` is passed as it is. */
export function hostMetrics(): HostMetrics {
  const metrics = new Map<string, Metric>()
  return {
    // Asked first: a second mount goes on counting where the first one does.
    getSingleMetric: (name) => metrics.get(name),
    registerMetric(metric: Metric) {
      metrics.set(metric.name, metric)
    },
    async render() {
      const texts = await Promise.all([...metrics.values()].map(renderMetric))
      return texts.join('')
    },
  }
}

async function renderMetric(metric: Metric): Promise<string> {
  const { help, type, values } = await metric.get()
  const lines = values.map(({ metricName = metric.name, labels, value }) => {
    const pairs = Object.entries(labels).map(([name, of]) => `${name}=${JSON.stringify(String(of))}`)
    return `${metricName}{${pairs.join(',')}} ${value}`
  })
  return `${[`# HELP ${metric.name} ${help}`, `# TYPE ${metric.name} ${type}`, ...lines].join('\n')}\n`
}
