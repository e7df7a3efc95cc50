package dev.distillery.training.run;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Where a training run's figures are shown beside its own files.
 *
 * @param mlflowUri root of an MLflow tracking server's REST interface
 */
@WithBuilder
public record MlflowOptions(
    @Tunable
        @Option(
            names = "--mlflow-uri",
            paramLabel = "URI",
            description =
                "MLflow tracking server that gets the run's options and figures too, such as"
                    + " http://host:5000; nothing of the run depends on it. Its experiment is"
                    + " distillery, or that of MLFLOW_EXPERIMENT_NAME; a token comes from"
                    + " MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD.")
        Optional<String> mlflowUri)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static MlflowOptionsBuilder builder() {
    return MlflowOptionsBuilder.builder(OptionsBinder.defaults(MlflowOptions.class));
  }

  @Override
  public List<String> violations() {
    return mlflowUri.filter(uri -> !isServer(uri)).isEmpty()
        ? List.of()
        : List.of(
            "Option --mlflow-uri: expected http://HOST:PORT or https://HOST without a name, a"
                + " password or a query; secrets come from MLFLOW_TRACKING_TOKEN, or"
                + " MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD");
  }

  private static boolean isServer(String text) {
    try {
      URI uri = URI.create(text);
      return List.of("http", "https").contains(String.valueOf(uri.getScheme()))
          && uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
