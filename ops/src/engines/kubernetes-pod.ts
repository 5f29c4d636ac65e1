import type { EngineFacts } from './engine-facts.ts'

/** Pieces that several Kubernetes objects share. */
export const kubernetesName = 'dam'

export const labelsOf = (facts: EngineFacts, component: string) => ({
  'app.kubernetes.io/name': kubernetesName,
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/version': facts.tag,
})

export const selectorOf = (component: string) => ({
  'app.kubernetes.io/name': kubernetesName,
  'app.kubernetes.io/component': component,
})

export const metadataOf = (facts: EngineFacts, component: string, name = `${kubernetesName}-${component}`) => ({
  name,
  labels: labelsOf(facts, component),
})

/** What all containers may: no root, no writing beside the volumes, no privileges. */
const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

export type ContainerOptions = {
  name: string
  args: string[]
  /** The operations' store on a volume of its own: SQLite must not lie on a network file system. */
  hasOpsStore?: boolean
  memory: { request: string; limit: string }
  cpu: string
  more?: object
}

export const containerOf = (facts: EngineFacts, options: ContainerOptions) => ({
  name: options.name,
  image: `${facts.image}:${facts.tag}`,
  command: ['node'],
  args: options.args,
  envFrom: [{ configMapRef: { name: kubernetesName } }, { secretRef: { name: kubernetesName } }],
  securityContext: containerSecurity,
  resources: {
    requests: { cpu: options.cpu, memory: options.memory.request },
    limits: { memory: options.memory.limit },
  },
  volumeMounts: [
    { name: 'data', mountPath: '/data' },
    ...(options.hasOpsStore ? [{ name: 'ops', mountPath: '/data/ops' }] : []),
    { name: 'tmp', mountPath: '/tmp' },
  ],
  ...options.more,
})

export const podOf = (containers: object[], options: { hasOpsStore?: boolean; more?: object } = {}) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 1000,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
  containers,
  volumes: [
    { name: 'data', persistentVolumeClaim: { claimName: 'dam-data' } },
    ...(options.hasOpsStore ? [{ name: 'ops', persistentVolumeClaim: { claimName: 'dam-ops' } }] : []),
    { name: 'tmp', emptyDir: {} },
  ],
  ...options.more,
})

/** The pod of the role `web`, as Deployment and Rollout have it. */
export function webTemplate(facts: EngineFacts) {
  const probe = (path: string, more: object) => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 5, ...more })
  return {
    metadata: {
      labels: labelsOf(facts, 'web'),
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': String(facts.port),
        'prometheus.io/path': '/metrics',
      },
    },
    spec: podOf(
      [
        containerOf(facts, {
          name: 'web',
          args: ['backend/src/main.ts', 'web'],
          cpu: '250m',
          memory: { request: '384Mi', limit: '1Gi' },
          more: {
            ports: [{ name: 'http', containerPort: facts.port }],
            startupProbe: probe('/livez', { periodSeconds: 2, failureThreshold: 60 }),
            livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: facts.failedReadiness }),
            readinessProbe: probe('/readyz', {
              periodSeconds: facts.readyEverySeconds,
              failureThreshold: facts.failedReadiness,
            }),
            // Endpoints hear of the end of a pod later than the pod does.
            lifecycle: { preStop: { exec: { command: ['sleep', String(facts.unroutedSeconds)] } } },
          },
        }),
      ],
      {
        more: {
          terminationGracePeriodSeconds: facts.unroutedSeconds + facts.drainSeconds + 5,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: selectorOf('web') },
            },
          ],
        },
      },
    ),
  }
}

/** Two at least, one more where the others are busy. */
export const scalerOf = (facts: EngineFacts, target: { apiVersion: string; kind: string }) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: metadataOf(facts, 'web'),
  spec: {
    scaleTargetRef: { ...target, name: 'dam-web' },
    minReplicas: 2,
    maxReplicas: 6,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: facts.cpuPercent } },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
  },
})
