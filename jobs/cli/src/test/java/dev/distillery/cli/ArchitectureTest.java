package dev.distillery.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows between the modules, and what only some may touch. */
@AnalyzeClasses(packages = "dev.distillery", importOptions = ArchitectureTest.NoTests.class)
class ArchitectureTest {
  /** Leaves out tests, as class files and in the test jars of other modules. */
  static final class NoTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule coreKnowsNoSparkNoHadoopAndNothingAboveIt =
      noClasses()
          .that()
          .resideInAPackage("dev.distillery.core..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.spark..",
              "org.apache.hadoop..",
              "org.nd4j..",
              "dev.distillery.spark..",
              "dev.distillery.datasets..",
              "dev.distillery.jobs..",
              "dev.distillery.model..",
              "dev.distillery.cli..");

  @ArchTest
  static final ArchRule sparkKnowsNoJobAndNoStudent =
      noClasses()
          .that()
          .resideInAPackage("dev.distillery.spark..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.nd4j..",
              "dev.distillery.datasets..",
              "dev.distillery.jobs..",
              "dev.distillery.model..",
              "dev.distillery.cli..");

  @ArchTest
  static final ArchRule theStudentKnowsNoSpark =
      noClasses()
          .that()
          .resideInAPackage("dev.distillery.model..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "dev.distillery.spark..")
          .allowEmptyShould(true);

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
}
