/** All that the operator framework uses of the Kubernetes client; in the bundle it gets this instead of the whole. */
export { ApiextensionsV1Api, CoreV1Api, KubeConfig, loadYaml, Watch } from '@kubernetes/client-node';
