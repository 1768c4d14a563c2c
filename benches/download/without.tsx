// The app without tinysse.
import { List, mount, trpc } from './app.js';

function Projects() {
  const projects = trpc.projects.getAll.useQuery();
  return <List items={projects.data} />;
}

mount(<Projects />);
