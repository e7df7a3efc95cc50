package dev.distillery.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The arrows between the modules and packages, and what only some may touch. It stands here because
 * here every class is on the path.
 */
@AnalyzeClasses(packages = "dev.distillery", importOptions = ArchitectureTest.NoTests.class)
class ArchitectureTest {
  private static final String OURS = "dev.distillery.";

  private static final String SPARK = "org.apache.spark..";
  private static final String HADOOP = "org.apache.hadoop..";
  private static final String ND4J = "org.nd4j..";

  /** Leaves out tests, as class files and in the test jars of other modules. */
  static final class NoTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule coreKnowsNoSparkNoHadoopAndNothingAboveIt =
      none("core", SPARK, HADOOP, ND4J, "spark", "model", "training", "datasets", "jobs", "cli");

  @ArchTest
  static final ArchRule theStudentKnowsNoSpark =
      none("model", SPARK, HADOOP, "spark", "training", "datasets", "jobs", "cli");

  @ArchTest
  static final ArchRule sparkKnowsNoStudentAndNoJob =
      none("spark", ND4J, "model", "training", "datasets", "jobs", "cli");

  @ArchTest
  static final ArchRule datasetsKnowNoStudentAndNoJob =
      none("datasets", ND4J, "model", "training", "jobs", "cli");

  @ArchTest static final ArchRule trainingKnowsNoJob = none("training", "datasets", "jobs", "cli");

  @ArchTest static final ArchRule jobsKnowNoCommandLine = none("jobs", "cli");

  /** What they need of the student comes through interfaces in core, found by ServiceLoader. */
  @ArchTest
  static final ArchRule dataJobsTouchNoStudent =
      noClasses()
          .that(areDataJobs())
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ND4J, inOurs("model"), inOurs("training"));

  @ArchTest
  static final ArchRule theCommandLineTouchesNoStudent = none("cli", ND4J, "model", "training");

  @ArchTest
  static final ArchRule noJobKnowsAnother =
      slices().matching("dev.distillery.jobs.(*)..").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.distillery.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyMainEndsTheProcess =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.distillery.cli.Main")
          .should()
          .callMethod(System.class, "exit", int.class);

  @ArchTest
  static void oneClassHasOneName(JavaClasses classes) {
    var named =
        classes.stream()
            .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"))
            .collect(
                groupingBy(JavaClass::getSimpleName, mapping(JavaClass::getName, joining(", "))));
    assertThat(named).hasSizeGreaterThan(300);
    assertThat(named.values()).noneMatch(names -> names.contains(", "));
  }

  /** The last line of each package-info: the packages of ours that this one may use. */
  @ArchTest
  static void packagesUseOnlyWhatTheySay(JavaClasses classes) throws IOException {
    var used = new TreeMap<String, TreeSet<String>>();
    for (JavaClass type : classes) {
      String from = shortened(type.getPackageName());
      var targets = used.computeIfAbsent(from, unused -> new TreeSet<>());
      type.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass().getPackageName())
          .filter(name -> name.startsWith(OURS) && !shortened(name).equals(from))
          .map(ArchitectureTest::shortened)
          .forEach(targets::add);
    }
    var said = said();
    var wrong = new ArrayList<String>();
    used.forEach(
        (name, targets) -> {
          String line = targets.isEmpty() ? "nothing of ours" : String.join(", ", targets);
          var allowed = List.of(said.getOrDefault(name, "(no line)").split(", "));
          if (allowed.contains("(no line)") || !allowed.containsAll(targets)) {
            wrong.add(name + " May use: " + line + ".");
          }
        });
    assertThat(wrong).as("What these packages use, and their package-info does not say").isEmpty();
    assertThat(said).containsOnlyKeys(used.keySet());
  }

  private static Map<String, String> said() throws IOException {
    Pattern line = Pattern.compile("May use: (.*?)\\.\\s*\\*/", Pattern.DOTALL);
    var said = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(FetchedModel.root())) {
      for (Path file :
          files
              .filter(path -> path.endsWith("package-info.java"))
              .filter(path -> path.toString().contains("/src/main/java/"))
              .collect(toCollection(ArrayList::new))) {
        String text = Files.readString(file);
        Matcher found = line.matcher(text);
        String name = text.replaceFirst("(?s).*\\npackage dev\\.distillery\\.([^;]*);.*", "$1");
        said.put(
            name, found.find() ? found.group(1).replaceAll("\\s*\\n \\* *", " ") : "(no line)");
      }
    }
    return said;
  }

  private static String shortened(String packageName) {
    return packageName.substring(OURS.length());
  }

  private static String inOurs(String room) {
    return OURS + room + "..";
  }

  /** No class of a room uses what is named: our rooms by their name, others as ArchUnit has it. */
  private static ArchRule none(String room, String... others) {
    return noClasses()
        .that()
        .resideInAPackage(inOurs(room))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            Stream.of(others)
                .map(other -> other.contains(".") ? other : inOurs(other))
                .toArray(String[]::new));
  }

  /** Classes of the module jobs/data, in its folder of classes or its jar. */
  private static DescribedPredicate<JavaClass> areDataJobs() {
    return DescribedPredicate.describe(
        "are of jobs/data",
        type ->
            type.getSource()
                .filter(source -> source.getUri().toString().contains("/jobs/data/target/"))
                .isPresent());
  }
}
