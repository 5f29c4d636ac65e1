import type { EngineFacts, EngineFile } from './engine-facts.ts'
import { kubernetesName, metadataOf, scalerOf, selectorOf, webTemplate } from './kubernetes-pod.ts'
import { yamlFile } from './yaml-file.ts'

/** On top of the manifests for Kubernetes: the web pods as a Rollout whose bake our judge decides, behind Traefik. */
export function argoFiles(facts: EngineFacts): EngineFile[] {
  const file = (name: string, ...objects: object[]): EngineFile => yamlFile(facts, 'argo', name, ...objects)
  const files = [
    file('rollout.yaml', rollout(facts), scalerOf(facts, { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' })),
    file('analysis.yaml', analysisTemplate(facts)),
    file('routing.yaml', service(facts, 'stable'), service(facts, 'canary'), ...traefik(facts)),
  ]
  return [
    ...files,
    file('kustomization.yaml', {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: kubernetesName,
      resources: ['base', ...files.map(({ path }) => path)],
    }),
    file('base/kustomization.yaml', {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['../../kubernetes'],
      patches: [
        removed('apps/v1', 'Deployment'),
        removed('autoscaling/v2', 'HorizontalPodAutoscaler'),
        removed('networking.k8s.io/v1', 'Ingress'),
      ],
    }),
  ]
}

/** The Rollout takes the place of the Deployment; what belongs to it is made anew. */
const removed = (apiVersion: string, kind: string) => ({
  patch: `$patch: delete\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: dam-web\n  namespace: ${kubernetesName}\n`,
})

function rollout(facts: EngineFacts) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: metadataOf(facts, 'web'),
    spec: {
      revisionHistoryLimit: 5,
      // Going back to one of the last releases needs no bake.
      rollbackWindow: { revisions: 3 },
      selector: { matchLabels: selectorOf('web') },
      minReadySeconds: facts.readyEverySeconds * facts.failedReadiness,
      progressDeadlineSeconds: facts.bakeSeconds,
      progressDeadlineAbort: true,
      strategy: {
        canary: {
          stableService: 'dam-stable',
          canaryService: 'dam-canary',
          maxSurge: 1,
          maxUnavailable: 0,
          // The old pods stay warm for as long as the new release is suspect.
          scaleDownDelaySeconds: facts.suspectSeconds,
          abortScaleDownDelaySeconds: facts.drainSeconds,
          trafficRouting: { traefik: { weightedTraefikServiceName: kubernetesName } },
          steps: [
            // The rest of the sessions stay on the old release, as a live control.
            { setWeight: 100 - facts.controlSharePercent },
            {
              analysis: {
                templates: [{ templateName: 'dam-judge' }],
                args: [
                  { name: 'release', value: facts.tag },
                  { name: 'hash', valueFrom: { podTemplateHashValue: 'Latest' } },
                ],
              },
            },
          ],
        },
      },
      template: webTemplate(facts),
    },
  }
}

function analysisTemplate(facts: EngineFacts) {
  // The bake, extended once by as much.
  const looks = Math.ceil((2 * facts.bakeSeconds) / facts.lookSeconds) + 1
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AnalysisTemplate',
    metadata: metadataOf(facts, 'judge'),
    spec: {
      args: [
        { name: 'release' },
        { name: 'hash' },
        { name: 'token', valueFrom: { secretKeyRef: { name: 'dam-judge', key: 'token' } } },
      ],
      metrics: [
        {
          name: 'judge',
          interval: `${facts.lookSeconds}s`,
          count: looks,
          // "good" is final and said only at the end of the bake.
          consecutiveSuccessLimit: 1,
          failureLimit: 0,
          // Undecided after twice the bake: the Rollout waits for a person.
          inconclusiveLimit: looks - 1,
          // A judge that is silent for a whole bake ends the rollout.
          consecutiveErrorLimit: Math.ceil(facts.bakeSeconds / facts.lookSeconds),
          successCondition: 'result.verdict == "good"',
          failureCondition: 'result.verdict == "bad"',
          provider: {
            web: {
              method: 'POST',
              url: `http://dam-ops.${kubernetesName}.svc:${facts.opsPort}/api/ops/v1/judge/{{args.release}}-{{args.hash}}/`,
              timeoutSeconds: 20,
              headers: [{ key: 'Authorization', value: 'Token {{args.token}}' }],
              jsonBody: {
                release: '{{args.release}}',
                bakeSeconds: facts.bakeSeconds,
                labels: { namespace: kubernetesName },
              },
              jsonPath: '{$}',
            },
          },
        },
      ],
    },
  }
}

const service = (facts: EngineFacts, side: 'stable' | 'canary') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf(facts, side),
  spec: { selector: selectorOf('web'), ports: [{ name: 'http', port: facts.port, targetPort: 'http' }] },
})

const traefik = (facts: EngineFacts) => [
  {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'TraefikService',
    metadata: metadataOf(facts, 'routing', kubernetesName),
    spec: {
      weighted: {
        // Argo Rollouts writes the weights.
        services: ['dam-stable', 'dam-canary'].map((name) => ({ name, port: facts.port })),
        // A session stays with its release, as its hashed files do.
        sticky: { cookie: { name: 'dam_release', httpOnly: true, secure: true, sameSite: 'lax' } },
      },
    },
  },
  {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRoute',
    metadata: metadataOf(facts, 'web'),
    spec: {
      entryPoints: ['websecure'],
      routes: [
        {
          kind: 'Rule',
          match: `Host(\`${facts.domain}\`)`,
          services: [{ name: kubernetesName, kind: 'TraefikService' }],
        },
      ],
      tls: { secretName: 'dam-tls' },
    },
  },
]
