package host

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"iamserver/generated/pluginapi"
	"iamserver/plugins/meter"
	"iamserver/plugins/wire"
)

// slice is how much fuel is handed out at a time: what a tenth of a millisecond is
// enough for, or, where each unit is a load that no cache has, ten milliseconds,
// for which the garbage collector may have to wait.
const slice = 50_000

// firstBuffer is the size of the buffer that an instance is asked for at its
// start; larger questions ask again.
const firstBuffer = 16 << 10

// An instance is one run of a module with a memory of its own. One goroutine
// uses it at a time.
type instance struct {
	host   *Host
	module api.Module
	memory api.Memory
	fuel   api.MutableGlobal
	buffer api.Function
	hooks  map[Hook]api.Function
	log    logWriter
	ctx    context.Context // carries the instance to the functions it imports
	born   time.Time

	at, room uint32 // the guest's buffer
	encoded  []byte // the question
	answer   []byte // a copy of the answer
	stack    [2]uint64
	entries  []pluginapi.ContextEntry
	verdict  pluginapi.AuthorizeResponse

	// Of the present call.
	request   context.Context
	requestID string
	left      int64 // fuel that was not handed out
	deadline  time.Time

	calls int
}

type instanceKey struct{}

func instanceOf(ctx context.Context) *instance { return ctx.Value(instanceKey{}).(*instance) }

// charge takes fuel for the work of a host function.
func (i *instance) charge(n int64) {
	left := int64(i.fuel.Get()) - n
	i.fuel.Set(uint64(left))
	if left < 0 {
		i.refuel()
	}
}

// refuel is called with the fuel below zero. It hands out the next slice, or
// stops the code. Being Go, it is where the collector and the scheduler get in.
func (i *instance) refuel() {
	if err := i.request.Err(); err != nil {
		panic(err)
	}
	now := i.host.now()
	if now.After(i.deadline) {
		panic(errTime)
	}
	debt := -int64(i.fuel.Get())
	if debt > i.left {
		i.left = 0
		panic(errFuel)
	}
	handed := debt + min(slice, i.left-debt)
	i.left -= handed
	i.fuel.Set(uint64(handed - debt))
	if i.host.turn.yield() {
		// Time that others took does not count.
		i.deadline = i.deadline.Add(i.host.now().Sub(now))
	}
}

// allow gives the instance the budget of a call that begins now.
func (i *instance) allow(ctx context.Context, b budget, requestID string, now time.Time) {
	first := min(slice, b.fuel)
	i.request, i.requestID = ctx, requestID
	i.left = b.fuel - first
	i.deadline = now.Add(b.time)
	i.fuel.Set(uint64(first))
	i.log.reset()
}

// used is the fuel that was used of a budget.
func (i *instance) used(b budget) int64 { return b.fuel - i.left - max(int64(i.fuel.Get()), 0) }

// start makes an instance of the compiled module. None of its code is run.
func (m *Module) start() (*instance, error) {
	i := &instance{host: m.host, born: m.host.now(), log: logWriter{guestLog: m.log}}
	i.ctx = context.WithValue(context.Background(), instanceKey{}, i)
	// The module may not run _initialize itself: there is no fuel yet. An instance has no name, so
	// that there can be many; whatever it could import beside our functions is
	// set all the same: the runtime's own clock and randomness are the same in
	// each instance.
	module, err := m.runtime.InstantiateModule(i.ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithRandSource(m.host.random).WithSysWalltime().WithSysNanotime())
	if err != nil {
		return nil, &PluginError{m.config.Name, initialize, Trapped, brief(err)}
	}
	i.module, i.memory = module, module.Memory()
	i.fuel, _ = module.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	i.buffer = module.ExportedFunction(exportBuffer)
	i.hooks = map[Hook]api.Function{}
	for h, name := range exports {
		if f := module.ExportedFunction(name); f != nil {
			i.hooks[h] = f
		}
	}
	return i, nil
}

// initialize runs the module's own initialization within the budget of init,
// which what follows shares. The caller has its turn.
func (i *instance) initialize(ctx context.Context, b budget) error {
	i.allow(ctx, b, "", i.host.now())
	if f := i.module.ExportedFunction(exportInitialize); f != nil {
		return f.CallWithStack(i.ctx, nil)
	}
	return nil
}

// close gives the instance up. Its memory is overwritten, since the garbage
// collector may take its time.
func (i *instance) close(ctx context.Context) {
	if i.memory != nil {
		if view, ok := i.memory.Read(0, i.memory.Size()); ok {
			clear(view)
		}
	}
	clear(i.encoded)
	clear(i.answer)
	// Nothing can be done about an error, which wazero has only for files that
	// an instance had open, and these have none.
	_ = i.module.Close(ctx)
}

// place makes room for n bytes of input in the guest's memory.
func (i *instance) place(n int) error {
	if n <= int(i.room) {
		return nil
	}
	want := max(uint32(n), firstBuffer)
	i.stack[0] = uint64(want)
	if err := i.buffer.CallWithStack(i.ctx, i.stack[:]); err != nil {
		return err
	}
	i.at, i.room = uint32(i.stack[0]), want
	if i.at == 0 {
		i.room = 0
		return errRefused
	}
	return nil
}

var (
	errRefused = errors.New("the plugin has no buffer for the question")
	errRange   = errors.New("a pointer or a length is out of the memory")
)

// A tooLongError says how long a question or an answer is and may be.
type tooLongError struct {
	what       string
	got, limit int
}

func (e *tooLongError) Error() string {
	return fmt.Sprintf("the %s has %d bytes, the limit is %d", e.what, e.got, e.limit)
}

// ask hands the question in i.encoded to a hook and copies its answer to
// i.answer. Afterwards the instance is good for nothing if there is an error.
func (i *instance) ask(h Hook, b budget) (Class, error) {
	if err := i.place(len(i.encoded)); err != nil {
		return classOf(err), brief(err)
	}
	if !i.memory.Write(i.at, i.encoded) {
		return BadOutput, errRange
	}
	i.stack = [2]uint64{uint64(i.at), uint64(len(i.encoded))}
	if err := i.hooks[h].CallWithStack(i.ctx, i.stack[:]); err != nil {
		return classOf(err), brief(err)
	}
	at, length := uint32(i.stack[0]>>32), uint32(i.stack[0])
	i.answer = i.answer[:0]
	if length == 0 {
		return "", nil
	}
	if int64(length) > int64(b.output) {
		return BadOutput, &tooLongError{"answer", int(length), b.output}
	}
	view, ok := i.memory.Read(at, length)
	if !ok {
		return BadOutput, errRange
	}
	// The guest could change its memory later.
	i.answer = append(i.answer, view...)
	return "", nil
}

// decode reads the answer. Its strings are copies if keep is set; otherwise
// they are good until the next question.
func (i *instance) decode(into wire.Decoder, keep bool) error {
	if len(i.answer) == 0 {
		return nil
	}
	if keep {
		return into.Decode(string(i.answer))
	}
	return into.Decode(unsafe.String(&i.answer[0], len(i.answer)))
}
