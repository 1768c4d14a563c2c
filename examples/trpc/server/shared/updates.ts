// The update types of the application, for the server and the page alike: a new one is one line here.

export interface AppUpdates {
  progress: undefined;
  projects: undefined;
  compute: undefined;
  images: undefined;
  authentication: undefined;
  gardener: undefined;
}
