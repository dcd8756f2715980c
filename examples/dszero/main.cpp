// SPDX-License-Identifier: MIT
//
// dszero: check, show and compare DeepSpeed configurations. This file is the
// command line; each command has its own.
#include "command.hpp"

#include <dszero/config/suggest.hpp>
#include <dszero/text/snippet.hpp>
#include <dszero/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace dszero::tool;

namespace {

constexpr const char* exit_status = R"(Exit status:
  0  DeepSpeed accepts every file (warnings do not change that, unless --strict)
  1  it refuses one
  2  the command line is wrong
  3  a file could not be read, or the output not be written)";

constexpr const char* examples = R"(Examples:
  dszero check ds_config.json                     every problem, at its line
  dszero explain no-effect-at-stage               what a code means, with examples
  dszero check --deepspeed 0.14.5 a.json b.json   as an older release sees them
  dszero check --deepspeed all ds_config.json     which releases accept it?
  dszero check --format json - < ds_config.json   for programs
  dszero show ds_config.json                      what DeepSpeed makes of it
  dszero diff old.json new.json                   what a change really changes
  dszero fix --write ds_config.json               mends what can be mended safely
  dszero resolve --hidden-size 4096 ds_config.json   "auto", as Hugging Face fills it in
  dszero schema > ds_config.schema.json           for completion in your editor

A warning that you have looked at is waived by a comment behind it or above it:
  // dszero: ignore CODE: reason                  strict JSON: see dszero check --help

In CI:
  dszero check --strict configs/                  fails for warnings, too
  dszero check --format github configs/           annotates a workflow's changes; sarif: code scanning)";

constexpr const char* check_examples = R"(Examples:
  dszero check ds_config.json
  dszero check --deepspeed 0.14.5 configs/*.json
  dszero check --deepspeed all ds_config.json
  dszero check --world-size 64 --gpus-per-node 8 --model parameters=7e9,largest=131072000 ds_config.json
  dszero check --strict --ignore strict-json configs/ 'more/**/ds_*.json'
  dszero check --format github configs/           annotations in a workflow; sarif: for code scanning
  dszero check --format json - < ds_config.json
  echo '{"id": 1, "text": "{}"}' | dszero check --jsonl

In a folder, or where a pattern matches, a JSON file that is no ds_config is skipped, and named.

A warning says what DeepSpeed ignores, alters or fails at later. To waive one, write behind it or
above it, with a reason:  // dszero: ignore CODE: reason
For strict JSON write lines into NAME.waivers:  CODE /json/pointer: reason

With --format json each file gives one line (with --deepspeed all: one for each release):
  {"file", "release", "accepted", "inferred", "first_check", "document",
   "zero_optimization", "warnings", "diagnostics", "findings", "waived"}
"accepted" is null for a file that could not be read. With --deepspeed all a file counts as
accepted if every release accepts it, and only what they refuse is shown.)";

constexpr const char* explain_examples = R"(Examples:
  dszero rules                                    every code
  dszero explain unread-key zero-off)";

constexpr const char* show_examples = R"(Examples:
  dszero show ds_config.json
  dszero show --deepspeed 0.14.5 ds_config.json
  dszero show --format json ds_config.json

With --format json each file gives check's line and, in "origin", where each value comes from.)";

constexpr const char* diff_examples = R"(Examples:
  dszero diff old.json new.json
  git show HEAD:ds_config.json | dszero diff - ds_config.json)";

constexpr const char* fix_examples = R"(Examples:
  dszero fix ds_config.json                       shows the changes
  dszero fix ds_config.json | patch               and makes them
  dszero fix --write configs/*.json               so does this; a crash leaves each file old or new
  dszero fix --unsafe ds_config.json              also what changes the values that DeepSpeed reads

Safe are: deprecated keys, whose new form gives the same values, and fractions of integers, of
which releases before 0.15.0 took the whole part. Misspelled and misplaced keys have no effect
(or stop DeepSpeed) until they are mended, so they need --unsafe.
The exit status is the verdict on the mended configuration.)";

constexpr const char* resolve_examples = R"(Examples:
  dszero resolve --hidden-size 4096 --learning-rate 2e-5 ds_config.json
  dszero resolve --hidden-size 4096 --num-training-steps 1000 --write ds_config.json

A fact that is not given is TrainingArguments' default, save the hidden size and the steps, which
have none. Exit status 1: a fact is missing, or the document contradicts one.)";

constexpr const char* schema_examples = R"(Examples:
  dszero schema > ds_config.schema.json           JSON Schema, draft-07
  dszero schema --format markdown                 a reference of every key

In VS Code, settings.json:
  "json.schemas": [{"fileMatch": ["ds_config*.json"], "url": "./ds_config.schema.json"}])";

void add_deepspeed(CLI::App& command, Options& options, bool or_all) {
    const std::string oldest = dszero::oldest_release.str(), newest = dszero::newest_release.str();
    const auto set = [=, &options](const std::string& text) {
        options.all_releases = or_all && text == "all";
        if (options.all_releases) return;
        const auto release = dszero::Release::parse(text);
        if (!release)
            throw CLI::ValidationError("--deepspeed",
                                       '\'' + text + "' is no release; one looks like " + newest);
        if (*release < dszero::oldest_release)
            throw CLI::ValidationError("--deepspeed",
                                       text + " is too old; the oldest known release is " + oldest);
        options.release = *release;
    };
    command
        .add_option_function<std::string>("--deepspeed", set,
                                          "The DeepSpeed release that judges, " + oldest + " to " + newest +
                                              (or_all ? ", or all of them" : "") + " (default: " + newest +
                                              ")")
        ->option_text(or_all ? "RELEASE|all" : "RELEASE");
}

/// Where the document is to be used: DeepSpeed's verdict depends on it.
void add_circumstances(CLI::App& command, Options& options) {
    command.add_option("--world-size", options.world_size, "Ranks that train (default: 1)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
        ->option_text("N");
    static const std::map<std::string, dszero::Accelerator> accelerators = {
        {"cuda", dszero::Accelerator::cuda}, {"cpu", dszero::Accelerator::cpu}};
    command.add_option("--accelerator", options.accelerator, "What they train on (default: cuda)")
        ->transform(CLI::Transformer(accelerators))
        ->option_text("cuda|cpu");
    static const std::map<std::string, dszero::Caller> callers = {
        {"deepspeed", dszero::Caller::deepspeed},
        {"huggingface", dszero::Caller::huggingface},
        {"accelerate", dszero::Caller::accelerate}};
    command
        .add_option(
            "--caller", options.caller,
            "Who hands it to DeepSpeed; the others replace certain \"auto\" values and read strict JSON "
            "(default: deepspeed)")
        ->transform(CLI::Transformer(callers))
        ->option_text("deepspeed|huggingface|accelerate");
}

void add_format(CLI::App& command, std::string& format, std::vector<std::string> formats = {"text", "json"}) {
    std::string text;
    for (const std::string& name : formats) text += (text.empty() ? "" : "|") + name;
    command.add_option("--format", format, "How to answer (default: text; with --jsonl: json)")
        ->check(CLI::IsMember(std::move(formats)))
        ->option_text(text);
}

/// Why a number cannot be a fact; empty if it can.
std::string is_finite(const std::string& number) {
    return std::isfinite(std::strtod(number.c_str(), nullptr)) ? "" : number + " is not finite";
}

/// TrainingArguments, and what the Trainer learns from elsewhere.
void add_facts(CLI::App& command, dszero::TrainerFacts& facts) {
    const auto count = [&](const char* name, auto& number, const char* what) {
        command.add_option(name, number, what)->check(CLI::Range(1, 1'000'000))->option_text("N");
    };
    const auto real = [&](const char* name, std::optional<double>& number, const char* what) {
        return command.add_option(name, number, what)->check(is_finite)->option_text("X");
    };
    command.add_option("--hidden-size", facts.hidden_size, "The model's; the largest where it has several")
        ->check(CLI::Range(1, 1'000'000'000))
        ->option_text("N");
    command.add_option("--num-training-steps", facts.num_training_steps, "Of the optimizer, in all")
        ->check(CLI::Range(0, 2'000'000'000))
        ->option_text("N");
    count("--world-size", facts.world_size, "Ranks (default: 1)");
    count("--per-device-train-batch-size", facts.per_device_train_batch_size, "(default: 8)");
    count("--gradient-accumulation-steps", facts.gradient_accumulation_steps, "(default: 1)");
    real("--learning-rate", facts.learning_rate, "(default: 5e-05)");
    real("--warmup-steps", facts.warmup_steps, "Below 1: a share of all steps (default: 0)")
        ->check(CLI::Range(0.0, 2e9));
    real("--weight-decay", facts.weight_decay, "(default: 0)");
    real("--max-grad-norm", facts.max_grad_norm, "(default: 1)");
    real("--adam-beta1", facts.adam_beta1, "(default: 0.9)");
    real("--adam-beta2", facts.adam_beta2, "(default: 0.999)");
    real("--adam-epsilon", facts.adam_epsilon, "(default: 1e-08)");
    command.add_option("--fp16", facts.fp16, "(default: false)")->option_text("true|false");
    command.add_option("--bf16", facts.bf16, "(default: false)")->option_text("true|false");
}

void add_schema_format(CLI::App& command, std::string& format) {
    command.add_option("--format", format, "JSON Schema, or a table for people (default: json)")
        ->check(CLI::IsMember({"json", "markdown"}))
        ->option_text("json|markdown");
}

void add_files(CLI::App& command, Options& options) {
    command.add_option("FILE", options.files, "Configurations, folders or patterns; - is standard input")
        ->option_text("...");
}

/// A count, "7e9" as well as "7000000000"; 0: it is none.
std::int64_t count_in(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool whole =
        !text.empty() && *end == '\0' && value >= 1 && value <= 9e18 && value == std::floor(value);
    return whole ? static_cast<std::int64_t>(value) : 0;
}

void set_model(const std::string& facts, dszero::ModelFacts& model) {
    std::istringstream stream(facts);
    for (std::string fact; std::getline(stream, fact, ',');) {
        const std::size_t equals = fact.find('=');
        const std::string name = fact.substr(0, equals);
        const std::int64_t count = equals == std::string::npos ? 0 : count_in(fact.substr(equals + 1));
        if (count == 0 || (name != "parameters" && name != "largest"))
            throw CLI::ValidationError("--model", '\'' + fact + "' is neither parameters=N nor largest=N");
        (name == "parameters" ? model.parameters : model.largest_parameter) = count;
    }
    if (model.parameters > 0 && model.largest_parameter > model.parameters)
        throw CLI::ValidationError("--model", "the largest parameter is larger than the model");
}

/// What rules ask for besides.
void add_facts(CLI::App& command, Options& options) {
    command.add_option("--gpus-per-node", options.gpus_per_node, "Devices of a node, where rules ask for it")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20))
        ->option_text("N");
    command
        .add_option_function<std::string>(
            "--model", [&options](const std::string& facts) { set_model(facts, options.model); },
            "Elements of the model and of its largest parameter, where rules ask for them")
        ->option_text("parameters=N,largest=N");
}

/// How severe a code is to be.
void add_levels(CLI::App& command, Options& options) {
    const auto add = [&](const char* name, std::optional<dszero::Severity> level, const char* description) {
        command
            .add_option_function<std::vector<std::string>>(
                name,
                [=, &options](const std::vector<std::string>& codes) {
                    for (const std::string& code : codes) {
                        if (!is_code(code))
                            throw CLI::ValidationError(name,
                                                       "there is no code '" + code + "'; see dszero rules");
                        options.levels.emplace_back(code, level);
                    }
                },
                description)
            ->allow_extra_args(false)  // one each time
            ->option_text("CODE");
    };
    add("--error", dszero::Severity::error, "Findings of this code fail; may be repeated");
    add("--warn", dszero::Severity::warning, "They are warnings");
    add("--ignore", std::nullopt, "They are not shown");
    command.add_flag("--strict", options.strict, "Warnings fail, too");
}

void add_json_lines(CLI::App& command, Options& options) {
    command.add_flag("--jsonl", options.json_lines,
                     R"(Documents are lines {"id", "text"} on standard input ("b64" for raw bytes);)"
                     R"( "file" in an answer is the id)");
}

void require_documents(const Options& options) {
    const auto& files = options.files;
    if (options.json_lines && !files.empty())
        throw CLI::ExcludesError("--jsonl reads standard input and takes no FILE", 1);
    if (!options.json_lines && files.empty()) throw CLI::RequiredError("FILE");
    if (options.write && std::count(files.begin(), files.end(), "-") > 0)
        throw CLI::ValidationError("--write", "standard input cannot be written; > takes the diff");
    if (std::count(files.begin(), files.end(), "-") > 1)
        throw CLI::ValidationError("FILE", "standard input can be read only once");
}

/// A file name is a file name: CLI11 takes "[a,b]" for a list, "{}" for an empty one and "++" for the end of
/// a command, and misses some names behind "--". A NUL, which no argument can hold, keeps it from looking
/// inside.
constexpr char guard = '\0';

std::vector<std::string> guarded(int count, char** arguments) {
    std::vector<std::string> result;
    bool names_only = false;
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        if (argument == "--" && !std::exchange(names_only, true)) continue;
        const bool special = argument.starts_with('[') || argument.starts_with('{') || argument == "++";
        result.push_back(names_only || special ? guard + argument : argument);
    }
    std::reverse(result.begin(), result.end());  // as CLI11 wants them
    return result;
}

using Commands = std::vector<const CLI::App*>;

bool names_one(const Commands& commands, const std::string& word) {
    return std::any_of(commands.begin(), commands.end(),
                       [&](const CLI::App* command) { return command->get_name() == word; });
}

/// About a first word that is no command.
std::string no_such_command(const Commands& commands, const std::string& word) {
    std::string out = "There is no command '";
    dszero::append_visible(out, word);
    out += '\'';
    dszero::Nearest nearest(word);
    for (const CLI::App* command : commands) nearest.consider(command->get_name());
    if (!nearest.name().empty()) return (out += "; did you mean '").append(nearest.name()) + "'?\n";
    return out + "; see dszero --help. To check a file: dszero check FILE\n";
}

Status run(int count, char** arguments, Output& output) {
    CLI::App app("Reads DeepSpeed's ds_config.json exactly as DeepSpeed does.", "dszero");
    app.set_version_flag("--version", "dszero " + dszero::version_string() + ", knows DeepSpeed " +
                                          dszero::oldest_release.str() + " to " +
                                          dszero::newest_release.str());
    app.require_subcommand(0, 1);  // none is reported below, behind a misspelt one
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->column_width(28);
    app.footer(std::string(examples) + "\n\n" + exit_status +
               "\n\n'dszero COMMAND --help' has every option.");

    Options options;
    std::string& format = options.format;
    std::string section;
    const auto add_command = [&](const char* name, const char* description,
                                 const char* more_help) -> CLI::App& {
        return *app.add_subcommand(name, description)
                    ->group("Commands")
                    ->footer(std::string(more_help) + "\n\n" + exit_status);
    };

    CLI::App& check_command =
        add_command("check", "Does DeepSpeed accept it? If not, where and why", check_examples);
    add_files(check_command, options);
    add_deepspeed(check_command, options, true);
    add_circumstances(check_command, options);
    check_command.add_option("--section", section, "Judge this section alone")
        ->check(CLI::IsMember({"zero_optimization"}))
        ->option_text("zero_optimization");
    add_facts(check_command, options);
    add_levels(check_command, options);
    add_format(check_command, format, {"text", "json", "sarif", "github"});
    add_json_lines(check_command, options);

    CLI::App& show_command =
        add_command("show", "Every field with its value, and where that comes from", show_examples);
    add_files(show_command, options);
    add_deepspeed(show_command, options, false);
    add_circumstances(show_command, options);
    add_format(show_command, format);
    add_json_lines(show_command, options);

    CLI::App& diff_command =
        add_command("diff", "What differs between two effective configurations", diff_examples);
    diff_command.add_option("FILE", options.files, "Two configurations; - is standard input")
        ->expected(2)
        ->option_text("A B");
    add_deepspeed(diff_command, options, false);
    add_circumstances(diff_command, options);
    add_format(diff_command, format);

    CLI::App& fix_command = add_command(
        "fix", "Mends deprecated, misspelled and misplaced keys: shows or makes the changes", fix_examples);
    add_files(fix_command, options);
    add_deepspeed(fix_command, options, false);
    add_circumstances(fix_command, options);
    fix_command.add_flag("--unsafe", options.unsafe, "Also what changes the values that DeepSpeed reads");
    fix_command.add_flag("--write", options.write, "Change the files");

    CLI::App& resolve_command = add_command(
        "resolve", "Replaces \"auto\" as Hugging Face's Trainer would: shows or makes the changes",
        resolve_examples);
    add_files(resolve_command, options);
    add_deepspeed(resolve_command, options, false);
    add_facts(resolve_command, options.facts);
    resolve_command.add_flag("--write", options.write, "Change the files");

    CLI::App& schema_command =
        add_command("schema", "What a ds_config.json may hold: JSON Schema, Markdown", schema_examples);
    add_deepspeed(schema_command, options, false);
    add_schema_format(schema_command, format);

    CLI::App& rules_command = add_command("rules", "Every code that check can name", explain_examples);
    CLI::App& explain_command = add_command("explain", "What a code means, with examples", explain_examples);
    explain_command.add_option("CODE", options.files, "Codes, as they stand in brackets behind a message")
        ->required()
        ->option_text("...");

    if (count < 2) {
        std::fputs(app.help().c_str(), stderr);
        return Status::wrong_call;
    }
    const Commands commands = std::as_const(app).get_subcommands([](const CLI::App*) { return true; });
    if (const std::string word = arguments[1]; !word.starts_with('-') && !names_one(commands, word)) {
        output.write_error(no_such_command(commands, word));
        return Status::wrong_call;
    }
    try {
        app.parse(guarded(count, arguments));
        for (std::string& file : options.files)
            if (file.starts_with(guard)) file.erase(0, 1);
        if (app.get_subcommands().empty()) throw CLI::RequiredError("A command");
        if (!schema_command && !rules_command && !explain_command) require_documents(options);
    } catch (const CLI::ParseError& e) {
        std::ostringstream out, error;
        const int status = app.exit(e, out, error);
        output.write(out.str());
        output.write_error(error.str());
        return status == 0 ? Status::accepted : Status::wrong_call;
    }
    if (!section.empty()) options.scope = dszero::Scope::zero_section;
    options.json = format.empty() ? options.json_lines : format == "json";
    return check_command     ? check(options, output)
           : show_command    ? show(options, output)
           : fix_command     ? fix(options, output)
           : resolve_command ? resolve(options, output)
           : schema_command  ? schema(options, output)
           : rules_command   ? rules(options, output)
           : explain_command ? explain(options, output)
                             : diff(options, output);
}

}  // namespace

int main(int count, char** arguments) {
    Output output;
    try {
        const Status status = run(count, arguments, output);
        output.flush();
        return static_cast<int>(status);
    } catch (const WriteFailed& failure) {
        std::fprintf(stderr, "dszero: cannot write to standard output: %s\n", std::strerror(failure.error));
    } catch (const std::exception& e) {  // memory, say
        std::fprintf(stderr, "dszero: %s\n", e.what());
    }
    return static_cast<int>(Status::failed);
}
