package bolt
import ("testing";"os";"fmt";"sync";"context";"strings";"math/rand/v2";"runtime"; "iamserver/runtime/storage")
func rss() string { b,_:=os.ReadFile("/proc/self/status"); var o []string; for _,l:=range strings.Split(string(b),"\n"){ if strings.HasPrefix(l,"Rss")||strings.HasPrefix(l,"VmHWM"){o=append(o,strings.Join(strings.Fields(l)," "))}}; return strings.Join(o,"; ")}
func TestZZScale(t *testing.T){
 path:="/tmp/scale/iam.db"
 if os.Getenv("FILL")!="" { os.Remove(path)
 s,err:=Open(path,Config{}); if err!=nil{t.Fatal(err)}
 ch:=make(chan int); var wg sync.WaitGroup
 for w:=0;w<512;w++{ wg.Go(func(){ for n:=range ch { r:=rand.New(rand.NewPCG(uint64(n),7)); id:=fmt.Sprintf("AIDA%016X0",r.Uint64())
  _,err:=s.Update(context.Background(),func(tx storage.Tx) error { for i:=range 6 { if err:=tx.Put([]byte(fmt.Sprintf("000000000000/%d/%s",i,id)),make([]byte,150)); err!=nil{return err} }; return nil}); if err!=nil{panic(err)} } }) }
 for n:=range 1000000 { ch<-n; if n%200000==0 { fmt.Println(n,rss(), s.db.Stats().FreePageN) } }
 close(ch); wg.Wait(); fmt.Println("filled",rss()); runtime.GC(); fmt.Println("gc",rss()); s.Close() }
 b:=testing.Benchmark(func(b *testing.B){ for b.Loop(){ s,err:=Open(path,Config{}); if err!=nil{t.Fatal(err)}; s.Close() } })
 fmt.Println("open",b)
 s,_:=Open(path,Config{}); 
 b=testing.Benchmark(func(b *testing.B){ n:=0; for b.Loop(){ n++; r:=rand.New(rand.NewPCG(uint64(n),9)); id:=fmt.Sprintf("AIDA%016X0",r.Uint64())
  s.Update(context.Background(),func(tx storage.Tx) error { for i:=range 6 { tx.Put([]byte(fmt.Sprintf("000000000000/%d/%s",i,id)),make([]byte,150)) }; return nil}) } })
 fmt.Println("update",b,rss())
 st,_:=os.Stat(path); fmt.Println(st.Size()>>20,"MiB")
 s.Close()
}
