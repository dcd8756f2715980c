// SPDX-License-Identifier: MIT
//
// The one source file of dszero for programs that define DSZERO_COMPILED: compiled.hpp.
#ifndef DSZERO_COMPILED
#error "define DSZERO_COMPILED for all source files of the program; without it there is nothing to compile"
#endif

#include <dszero/config/definitions/document.hpp>
#include <dszero/config/definitions/json.hpp>
#include <dszero/config/definitions/plain.hpp>
#include <dszero/config/definitions/section.hpp>
#include <dszero/config/lr_schedules.hpp>
#include <dszero/config/optimizer_params.hpp>
#include <dszero/text/definitions/render.hpp>

namespace dszero {

template const Section& section_of<AdagradParams>();
template const Section& section_of<AdamParams>();
template const Section& section_of<AioConfig>();
template const Section& section_of<AutoEPConfig>();
template const Section& section_of<AutotuningModelInfo>();
template const Section& section_of<CSVConfig>();
template const Section& section_of<CheckpointConfig>();
template const Section& section_of<CheckpointWriterConfig>();
template const Section& section_of<CometConfig>();
template const Section& section_of<CommsLoggerConfig>();
template const Section& section_of<CompileConfig>();
template const Section& section_of<CurriculumLearningConfig>();
template const Section& section_of<DataEfficiencyConfig>();
template const Section& section_of<DataRoutingConfig>();
template const Section& section_of<DataSamplingConfig>();
template const Section& section_of<DataTypesConfig>();
template const Section& section_of<DeepSpeedActivationCheckpointingConfig>();
template const Section& section_of<DeepSpeedAutotuningConfig>();
template const Section& section_of<DeepSpeedBF16Config>();
template const Section& section_of<DeepSpeedConfig>();
template const Section& section_of<DeepSpeedFP16Config>();
template const Section& section_of<DeepSpeedFlopsProfilerConfig>();
template const Section& section_of<DeepSpeedThroughputTimerConfig>();
template const Section& section_of<DeepSpeedZeroConfig>();
template const Section& section_of<DeepSpeedZeroLeafModuleConfig>();
template const Section& section_of<DeepSpeedZeroOffloadOptimizerConfig>();
template const Section& section_of<DeepSpeedZeroOffloadParamConfig>();
template const Section& section_of<DynamicBatchingConfig>();
template const Section& section_of<HybridEngineConfig>();
template const Section& section_of<LRRangeTestParams>();
template const Section& section_of<LionParams>();
template const Section& section_of<OneCycleParams>();
template const Section& section_of<OptimizerConfig>();
template const Section& section_of<ParallelWriteConfig>();
template const Section& section_of<PipelineConfig>();
template const Section& section_of<RandomLTDConfig>();
template const Section& section_of<RandomLTDScheduleConfig>();
template const Section& section_of<RandomLTDStepsConfig>();
template const Section& section_of<SGDParams>();
template const Section& section_of<SchedulerConfig>();
template const Section& section_of<TPConfig>();
template const Section& section_of<TPTrainingConfig>();
template const Section& section_of<TensorBoardConfig>();
template const Section& section_of<TorchAutocastConfig>();
template const Section& section_of<WandbConfig>();
template const Section& section_of<WarmupCosineLRParams>();
template const Section& section_of<WarmupDecayLRParams>();
template const Section& section_of<WarmupLRParams>();
template const Section& section_of<WeightQuantConfig>();
template const Section& section_of<ZenFlowConfig>();

}  // namespace dszero
