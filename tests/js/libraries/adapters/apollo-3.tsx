// The behaviour table's adapter for Apollo Client 3.
import { ApolloClient, ApolloLink, ApolloProvider, gql, InMemoryCache, Observable, useQuery } from '@apollo/client-3';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, type Load, text } from '../library.js';

const query = gql`query Project($name: String!) { project(name: $name) { version } }`;

interface Data {
  project: { version: number };
}

const link = (load: Load) =>
  new ApolloLink(
    ({ variables }) =>
      new Observable((observer) => {
        load(variables.name as string).then(
          ({ version }) => {
            observer.next({ data: { project: { __typename: 'Project', version } } });
            observer.complete();
          },
          (error) => observer.error(error),
        );
      }),
  );

/** Its `useQuery` knows no `skipToken`. */
const apollo: Library = {
  name: 'Apollo Client 3, skip',
  app(load) {
    const client = new ApolloClient({ link: link(load), cache: new InMemoryCache() });
    return {
      Provider: ({ children }) => <ApolloProvider client={client}>{children}</ApolloProvider>,
      Row: ({ name, on }) => {
        const { data } = useAutoRefetch(useQuery<Data>(query, { variables: { name }, skip: !on }), 'projects');
        return <p>{text(data?.project)}</p>;
      },
      fetch: () => client.refetchQueries({ include: 'active' }),
      end: () => client.stop(),
    };
  },
};

export const libraries: Library[] = [apollo];
