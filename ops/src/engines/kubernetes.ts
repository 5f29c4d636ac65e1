import { type EngineFacts, type EngineFile, plainSettings } from './engine-facts.ts'
import {
  containerOf,
  kubernetesName,
  labelsOf,
  metadataOf,
  podOf,
  scalerOf,
  selectorOf,
  webTemplate,
} from './kubernetes-pod.ts'
import { yamlFile } from './yaml-file.ts'

/** Manifests for a cluster that has a PostgreSQL elsewhere, a storage class with ReadWriteMany and an ingress controller. */
export function kubernetesFiles(facts: EngineFacts): EngineFile[] {
  const file = (name: string, ...objects: object[]): EngineFile => yamlFile(facts, 'kubernetes', name, ...objects)
  const files = [
    file('config.yaml', configMap(facts)),
    file('storage.yaml', ...claims(facts)),
    file('migrate.yaml', migrateJob(facts)),
    file('web.yaml', webDeployment(facts), service(facts, 'web', facts.port), webBudget(facts), webScaler(facts)),
    file('worker.yaml', workerDeployment(facts)),
    file('ops.yaml', opsDeployment(facts), service(facts, 'ops', facts.opsPort)),
    file('backup.yaml', backupJob(facts)),
    file('ingress.yaml', ingress(facts)),
    file('network.yaml', ...networkPolicies(facts)),
  ]
  return [
    ...files,
    file('kustomization.yaml', {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: kubernetesName,
      resources: files.map(({ path }) => path),
    }),
  ]
}

const configMap = (facts: EngineFacts) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: kubernetesName, labels: labelsOf(facts, 'config') },
  data: { ...plainSettings(facts), HOME: '/tmp' },
})

const claims = (facts: EngineFacts) => [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadataOf(facts, 'data'),
    // Originals are one folder for all pods: the storage class must offer ReadWriteMany (NFS, CephFS, EFS, Azure Files).
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '100Gi' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadataOf(facts, 'ops'),
    // The store of operations is SQLite: a block device of one node, never a network file system.
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
  },
]

/** A Job cannot be changed, so each release has its own; pods are not ready before it is done. */
const migrateJob = (facts: EngineFacts) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: metadataOf(facts, 'migrate', `dam-migrate-${facts.tag.replaceAll('.', '-').toLowerCase()}`),
  spec: {
    backoffLimit: 3,
    activeDeadlineSeconds: 3_600,
    ttlSecondsAfterFinished: 604_800,
    template: {
      metadata: { labels: labelsOf(facts, 'migrate') },
      spec: podOf(
        [
          containerOf(facts, {
            name: 'migrate',
            args: ['command/src/main.ts', 'migrate'],
            cpu: '100m',
            memory: { request: '128Mi', limit: '512Mi' },
          }),
        ],
        { more: { restartPolicy: 'Never' } },
      ),
    },
  },
})

const webDeployment = (facts: EngineFacts) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadataOf(facts, 'web'),
  spec: {
    // The autoscaler says how many.
    selector: { matchLabels: selectorOf('web') },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    minReadySeconds: facts.readyEverySeconds * facts.failedReadiness,
    progressDeadlineSeconds: facts.bakeSeconds,
    template: webTemplate(facts),
  },
})

const webBudget = (facts: EngineFacts) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: metadataOf(facts, 'web'),
  spec: {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: selectorOf('web') },
  },
})

const webScaler = (facts: EngineFacts) => scalerOf(facts, { apiVersion: 'apps/v1', kind: 'Deployment' })

const service = (facts: EngineFacts, component: 'web' | 'ops', port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf(facts, component),
  spec: { selector: selectorOf(component), ports: [{ name: 'http', port, targetPort: 'http' }] },
})

const workerDeployment = (facts: EngineFacts) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadataOf(facts, 'worker'),
  spec: {
    replicas: 1,
    selector: { matchLabels: selectorOf('worker') },
    // Two releases may work on one queue for a while; a dead worker's jobs are free within seconds.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: labelsOf(facts, 'worker') },
      spec: podOf(
        [
          containerOf(facts, {
            name: 'worker',
            args: ['backend/src/main.ts', 'worker'],
            cpu: '500m',
            memory: { request: '768Mi', limit: '3Gi' },
          }),
        ],
        { more: { terminationGracePeriodSeconds: facts.drainSeconds + 5 } },
      ),
    },
  },
})

const opsDeployment = (facts: EngineFacts) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadataOf(facts, 'ops'),
  spec: {
    replicas: 1,
    selector: { matchLabels: selectorOf('ops') },
    // Its store has one node.
    strategy: { type: 'Recreate' },
    template: {
      metadata: { labels: labelsOf(facts, 'ops') },
      spec: podOf(
        [
          containerOf(facts, {
            name: 'ops',
            args: ['ops/src/main.ts'],
            hasOpsStore: true,
            cpu: '50m',
            memory: { request: '128Mi', limit: '512Mi' },
            more: {
              env: [
                { name: 'OPS_HOST', value: '0.0.0.0' },
                { name: 'OPS_PORT', value: String(facts.opsPort) },
                // Where it finds the application.
                { name: 'HOST', value: 'dam-web' },
                { name: 'DAM_PROMETHEUS_URL', value: 'http://prometheus.monitoring.svc:9090' },
              ],
              ports: [{ name: 'http', containerPort: facts.opsPort }],
              livenessProbe: { httpGet: { path: '/livez', port: 'http' }, periodSeconds: 10, timeoutSeconds: 5 },
              readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 5, timeoutSeconds: 5 },
            },
          }),
        ],
        { hasOpsStore: true },
      ),
    },
  },
})

/** Runs on the node of the ops pod, whose store it writes. */
const backupJob = (facts: EngineFacts) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: metadataOf(facts, 'backup'),
  spec: {
    schedule: `${facts.backupAt.minute} ${facts.backupAt.hour} * * *`,
    timeZone: facts.backupAt.zone === 'UTC' ? 'Etc/UTC' : facts.backupAt.zone,
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3_600,
    jobTemplate: {
      spec: {
        backoffLimit: 1,
        template: {
          metadata: { labels: labelsOf(facts, 'backup') },
          spec: podOf(
            [
              containerOf(facts, {
                name: 'backup',
                args: ['command/src/main.ts', 'backup'],
                hasOpsStore: true,
                cpu: '100m',
                memory: { request: '256Mi', limit: '1Gi' },
              }),
            ],
            {
              hasOpsStore: true,
              more: {
                restartPolicy: 'Never',
                affinity: {
                  podAffinity: {
                    requiredDuringSchedulingIgnoredDuringExecution: [
                      { labelSelector: { matchLabels: selectorOf('ops') }, topologyKey: 'kubernetes.io/hostname' },
                    ],
                  },
                },
              },
            },
          ),
        },
      },
    },
  },
})

const ingress = (facts: EngineFacts) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: metadataOf(facts, 'web'),
  spec: {
    ingressClassName: 'traefik',
    tls: [{ hosts: [facts.domain], secretName: 'dam-tls' }],
    rules: [
      {
        host: facts.domain,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'dam-web', port: { name: 'http' } } } }],
        },
      },
    ],
  },
})

function networkPolicies(facts: EngineFacts) {
  const policy = (component: string, spec: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(facts, component),
    spec,
  })
  const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })
  const pod = (component: string) => ({ podSelector: { matchLabels: selectorOf(component) } })
  const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP', port }))
  return [
    // Nothing comes in or goes out but what the other policies add.
    policy('all', {
      podSelector: { matchLabels: { 'app.kubernetes.io/name': kubernetesName } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [
        { ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)] },
        // PostgreSQL and Redis, wherever they are.
        { ports: tcp(5432, 6379) },
      ],
    }),
    policy('web', {
      podSelector: pod('web').podSelector,
      policyTypes: ['Ingress'],
      ingress: [{ from: [namespace('traefik'), namespace('monitoring'), pod('ops')], ports: tcp(facts.port) }],
    }),
    // The console pages and mails people, asks Prometheus and the application, and is asked by Argo Rollouts.
    policy('ops', {
      podSelector: pod('ops').podSelector,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [namespace('argo-rollouts'), namespace('monitoring'), namespace('traefik')],
          ports: tcp(facts.opsPort),
        },
      ],
      egress: [{ to: [pod('web')], ports: tcp(facts.port) }, { ports: tcp(443, 465, 587, 9090) }],
    }),
  ]
}
